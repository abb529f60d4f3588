"""Maps in the size of others."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn.functional import interpolate

from .kernels.layout import is_channels_last, memory_format


def resize_like(x: Tensor, like: Tensor) -> Tensor:
    """A map in the height and width of another, by nearest neighbours.

    Unless it has that size already, it is laid in memory as the other one. By itself,
    ``interpolate`` gives a map of one place, which lies in every order, as a
    contiguous one.

    Args:
        x: Map of shape (N, C, H, W).
        like: Map of shape (N, C', H', W').

    Returns:
        Tensor: Shape (N, C, H', W'); ``x`` itself if it has that size.
    """
    size = like.shape[-2:]
    if x.shape[-2:] == size:
        return x
    last = is_channels_last(like)
    if x.is_cpu and x.is_contiguous() and not last:
        return _Nearest.apply(x, size)
    return interpolate(x, size, mode='nearest').contiguous(
        memory_format=memory_format(last)
    )


class _Nearest(torch.autograd.Function):
    """``interpolate`` of contiguous maps: places are gathered, several times faster."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, size: torch.Size) -> Tensor:
        ctx.sizes = size, x.shape
        height, width = x.shape[2:]
        rows = _nearest(height, size[0]) * width
        places = (rows[:, None] + _nearest(width, size[1])).flatten()
        out = x.flatten(2).flatten(0, 1).index_select(1, places)
        return out.view(*x.shape[:2], *size)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        return torch.ops.aten.upsample_nearest2d_backward(grad, *ctx.sizes), None


def _nearest(length: int, resized: int) -> Tensor:
    """The nearest of ``length`` places for each of another number of them."""
    # In float32, as interpolate rounds; on the CPU, whatever the default device is.
    places = torch.arange(resized, dtype=torch.float32, device='cpu')
    places *= length / resized
    return places.long().clamp(max=length - 1)
