"""Where a network looks: activation maps of its features."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn.functional import adaptive_avg_pool2d


def activation_map(x: Tensor) -> Tensor:
    r"""The mean energy over the channels, :math:`A = \frac{1}{C} \sum_c F_c^2`.

    Args:
        x: Feature of shape (N, C, H, W).

    Returns:
        Tensor: Shape (N, H, W).

    Source: `Attention transfer <https://arxiv.org/abs/1612.03928>`_, section 3.1.
    """
    return _MeanSquare.apply(x)


class _MeanSquare(torch.autograd.Function):
    """``x.square().mean(dim=1)``, with one pass over x in the backward, not three."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.square().mean(dim=1)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return x * (grad * (2 / x.shape[1])).unsqueeze(1)


def pool_to_smaller(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Pools two features to a common size, the smaller height and the smaller width.

    The pooling is adaptive average pooling. A feature that has the size already is
    given back as it is.

    Args:
        a: Feature of shape (N, C, H, W).
        b: Another, of any number of channels and any size.
    """
    size = tuple(map(min, a.shape[-2:], b.shape[-2:]))
    a, b = (x if x.shape[-2:] == size else adaptive_avg_pool2d(x, size) for x in (a, b))
    return a, b
