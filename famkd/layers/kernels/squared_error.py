"""The mean squared error of two tensors, and its gradient, in one pass each."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from famkd.layers.widen import widen

from .compiled import call, works


@torch.library.custom_op('famkd::mean_squared_error', mutates_args=())
def mean_squared_error(a: Tensor, b: Tensor) -> Tensor:
    r"""Mean squared error, in float32 or wider, :math:`\frac1n \sum (a - b)^2`.

    PyTorch's ``mse_loss`` is always contiguous in its gradient: channels last, BN and
    ReLU before it would read it against its order. Here it lies in memory as ``a``
    does. On CPUs a C++ kernel reads the maps as they are and keeps no difference.

    Args:
        a: Any shape.
        b: The same shape.

    Returns:
        Tensor: A scalar.
    """
    if not (a.is_cpu and works()):
        return (widen(a) - widen(b)).square_().mean()
    a, b = _alike(a, b)
    chunk = 4096  # small enough for a sum in float32
    sums = a.new_empty(-(-a.numel() // chunk), dtype=_sum_dtype(a, b))
    call('squared_error', [a, b, sums], [a.numel(), chunk])
    return sums.sum() / a.numel()


@torch.library.custom_op('famkd::scaled_difference', mutates_args=())
def _scaled_difference(a: Tensor, b: Tensor, factor: Tensor) -> Tensor:
    """``factor * (a - b)``, rounded once, in the dtype and memory format of a."""
    if not (a.is_cpu and works()):
        return ((widen(a) - widen(b)) * factor).to(a.dtype)
    dtype = a.dtype
    a, b = _alike(a, b)
    out = torch.empty_like(a)
    call('scaled_difference', [a, b, factor.to(_sum_dtype(a, b)), out], [a.numel()])
    return out.to(dtype)


def _alike(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both without gaps, in the memory format of a, of one dtype that has a kernel."""
    dtype = torch.promote_types(a.dtype, b.dtype)
    dtype = dtype if dtype != torch.float16 else torch.float32
    like = torch.empty_like(a, dtype=dtype)
    has_form = [x.dtype == dtype and x.stride() == like.stride() for x in (a, b)]
    return tuple(
        x if good else torch.empty_like(like).copy_(x)
        for x, good in zip((a, b), has_form, strict=True)
    )


def _sum_dtype(a: Tensor, b: Tensor) -> torch.dtype:
    return torch.promote_types(torch.promote_types(a.dtype, b.dtype), torch.float32)


@mean_squared_error.register_fake
def _(a: Tensor, b: Tensor) -> Tensor:
    return a.new_empty((), dtype=_sum_dtype(a, b))


@_scaled_difference.register_fake
def _(a: Tensor, b: Tensor, factor: Tensor) -> Tensor:
    return torch.empty_like(a)


def _save(ctx: FunctionCtx, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _gradients(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor | None]:
    a, b = ctx.saved_tensors
    grad_a = _scaled_difference(a, b, grad * 2 / a.numel())
    return grad_a, -grad_a if ctx.needs_input_grad[1] else None


def _second(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, ...]:
    a, b, factor = ctx.saved_tensors
    return factor * grad, -factor * grad, (grad * (widen(a) - widen(b))).sum()


mean_squared_error.register_autograd(_gradients, setup_context=_save)
_scaled_difference.register_autograd(_second, setup_context=_save)
