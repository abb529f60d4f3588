"""The check of the maps that enter a layer, and batches without any."""

from torch import Tensor, nn
from torch.nn.functional import pad


def check_map(layer: nn.Module, x: Tensor, channels: int) -> None:
    """Raises ValueError unless ``x`` is a batch of maps (H, W > 0) of so many channels.

    Args:
        layer: The layer that takes it.
        x: Its input.
        channels: Its input channels.
    """
    if x.dim() != 4 or x.shape[1] != channels or 0 in x.shape[2:]:
        raise ValueError(
            f'{type(layer).__name__} was built for maps of shape (N, {channels}, H, '
            f'W), got {tuple(x.shape)}'
        )


def one_more_map(x: Tensor) -> Tensor:
    """Adds a map of zeros to a batch of shape (N, C, H, W).

    FFTs take no empty batch. With one map more, whose output is dropped, the result
    is empty too, and parameters have gradients of zero as anywhere else.
    """
    return pad(x, (0, 0, 0, 0, 0, 0, 0, 1))
