"""Maps in the size of others."""

from torch import Tensor
from torch.nn.functional import interpolate

from .kernels.layout import is_channels_last, memory_format


def resize_like(x: Tensor, like: Tensor) -> Tensor:
    """A map in the height and width of another, by nearest neighbours.

    It is laid in memory as the other one, too. By itself, ``interpolate`` gives a map
    of one place, which lies in every order, as a contiguous one.

    Args:
        x: Map of shape (N, C, H, W).
        like: Map of shape (N, C', H', W').

    Returns:
        Tensor: Shape (N, C, H', W'); ``x`` itself if it has that size.
    """
    size = like.shape[-2:]
    if x.shape[-2:] == size:
        return x
    layout = memory_format(is_channels_last(like))
    return interpolate(x, size, mode='nearest').contiguous(memory_format=layout)
