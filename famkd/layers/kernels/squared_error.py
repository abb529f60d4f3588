"""The mean squared error of two tensors, and its gradient, in one pass each."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from famkd.layers.widen import widen

from .compiled import call, works

# Numbers whose squares are summed up one after the other: few enough for float32.
CHUNK = 4096


def mean_squared_error(a: Tensor, b: Tensor) -> Tensor:
    r"""Mean squared error, in float32 or wider, :math:`\frac1n \sum (a - b)^2`.

    The gradient of PyTorch's ``mse_loss`` is always contiguous: channels last, BN and
    ReLU before it would read it against its order. Here it lies in memory as the tensor
    does. On CPUs a C++ kernel reads two tensors of one dtype, float32, float64 or
    bfloat16, and keeps nothing else. There are first and second derivatives.

    Args:
        a: Any shape.
        b: The same shape.

    Returns:
        Tensor: A scalar.

    Raises:
        ValueError: If the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f'shapes differ: {tuple(a.shape)} and {tuple(b.shape)}')
    return _MeanSquaredError.apply(a, b)


class _MeanSquaredError(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        form = _squared_error if _has_kernel(a, b) else _squared_error_by_torch
        return form(a, b)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        a, b = ctx.saved_tensors
        needs_a, needs_b = ctx.needs_input_grad
        factor = grad * 2 / a.numel()
        return (
            _ScaledDifference.apply(a, b, factor) if needs_a else None,
            _ScaledDifference.apply(b, a, factor) if needs_b else None,
        )


class _ScaledDifference(torch.autograd.Function):
    """``factor * (a - b)``, rounded once, in the dtype and memory format of a."""

    @staticmethod
    def forward(ctx: FunctionCtx, a: Tensor, b: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(a, b, factor)
        has_kernel = _has_kernel(a, b)
        form = _scaled_difference if has_kernel else _scaled_difference_by_torch
        return form(a, b, factor)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b, factor = ctx.saved_tensors
        of_a = factor * grad
        return of_a, -of_a, (grad * (widen(a) - widen(b))).sum()


def _has_kernel(a: Tensor, b: Tensor) -> bool:
    dtypes = (torch.float32, torch.float64, torch.bfloat16)
    return a.is_cpu and b.is_cpu and a.dtype == b.dtype and a.dtype in dtypes


def _squared_error_by_torch(a: Tensor, b: Tensor) -> Tensor:
    return (widen(a) - widen(b)).square_().mean()


def _scaled_difference_by_torch(a: Tensor, b: Tensor, factor: Tensor) -> Tensor:
    difference = (widen(a) - widen(b)).mul_(factor)
    return torch.empty_like(a).copy_(difference)


# Operators, so that tracers see them: they have no data to point at.


@torch.library.custom_op('famkd::squared_error', mutates_args=(), device_types='cpu')
def _squared_error(a: Tensor, b: Tensor) -> Tensor:
    if not works():
        return _squared_error_by_torch(a, b)
    dtype = torch.promote_types(a.dtype, torch.float32)
    sums = a.new_empty(-(-a.numel() // CHUNK), dtype=dtype)
    call('squared_error', [*_as_first(a, b), sums], [a.numel(), CHUNK])
    return sums.sum() / a.numel()


@_squared_error.register_fake
def _(a: Tensor, b: Tensor) -> Tensor:
    return a.new_empty((), dtype=torch.promote_types(a.dtype, torch.float32))


@torch.library.custom_op(
    'famkd::scaled_difference', mutates_args=(), device_types='cpu'
)
def _scaled_difference(a: Tensor, b: Tensor, factor: Tensor) -> Tensor:
    if not works():
        return _scaled_difference_by_torch(a, b, factor)
    to = torch.empty_like(a)
    call('scaled_difference', [*_as_first(a, b), factor, to], [a.numel()])
    return to


@_scaled_difference.register_fake
def _(a: Tensor, b: Tensor, factor: Tensor) -> Tensor:
    return torch.empty_like(a)


def _as_first(a: Tensor, b: Tensor) -> list[Tensor]:
    """Both without gaps, in the memory format of a."""
    like = torch.empty_like(a)
    return [
        x if x.stride() == like.stride() else torch.empty_like(like).copy_(x)
        for x in (a, b)
    ]
