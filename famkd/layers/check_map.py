"""The check of what enters a layer."""

from torch import Tensor, nn


def check_map(layer: nn.Module, x: Tensor, channels: int) -> None:
    """Raises ValueError unless ``x`` is a batch of maps of so many channels.

    Args:
        layer: The layer that takes it.
        x: Its input.
        channels: Its input channels.
    """
    if x.dim() != 4 or x.shape[1] != channels:
        raise ValueError(
            f'{type(layer).__name__} was built for maps of shape (N, {channels}, H, '
            f'W), got {tuple(x.shape)}'
        )
