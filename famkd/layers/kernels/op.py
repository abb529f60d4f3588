"""Window attention as a PyTorch operator, so that it has a gradient and compiles.

A backend is a module of this package with `check(device)`, `forward` and `backward`.
"""

from importlib import import_module
from types import ModuleType

import torch
from torch import Tensor


def load_kernels(backend: str) -> ModuleType:
    """Import a backend, on first use only."""
    return import_module(f'.{backend}', __package__)


@torch.library.custom_op('famkd::window_attention', mutates_args=())
def window_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, backend: str
) -> tuple[Tensor, Tensor]:
    return load_kernels(backend).forward(query, key, value, bias)


@torch.library.custom_op('famkd::window_attention_backward', mutates_args=())
def window_attention_backward(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor,
    backend: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return load_kernels(backend).backward(grad_out, query, key, value, bias)


@window_attention.register_fake
def _(query, key, value, bias, backend):
    return query.new_empty(query.shape), query.new_empty(0)


@window_attention_backward.register_fake
def _(grad_out, query, key, value, bias, backend):
    return (
        *(query.new_empty(query.shape) for _ in range(3)),
        bias.new_empty(bias.shape),
    )


def _setup_context(ctx, inputs, output):
    *tensors, ctx.backend = inputs
    ctx.save_for_backward(*tensors)


def _backward(ctx, grad_out, _):
    grads = window_attention_backward(grad_out, *ctx.saved_tensors, ctx.backend)
    return *grads, None


window_attention.register_autograd(_backward, setup_context=_setup_context)


def _no_second_derivative(ctx, *grads):
    raise RuntimeError(
        'the window attention kernels have first derivatives only; '
        "for higher ones use backend='reference'"
    )


window_attention_backward.register_autograd(_no_second_derivative)
