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


def _layout(query: Tensor, backend: str) -> torch.memory_format:
    """The memory layout in which a backend takes and gives all maps."""
    if backend == 'triton' and not query.is_contiguous():
        if query.is_contiguous(memory_format=torch.channels_last):
            return torch.channels_last
    return torch.contiguous_format


@torch.library.custom_op('famkd::window_attention', mutates_args=())
def window_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, backend: str
) -> Tensor:
    """Window attention by one of the kernels."""
    layout = _layout(query, backend)
    maps = (x.contiguous(memory_format=layout) for x in (query, key, value))
    return load_kernels(backend).forward(*maps, bias.contiguous())


@torch.library.custom_op('famkd::window_attention_backward', mutates_args=())
def window_attention_backward(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor,
    backend: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of query, key, value and bias."""
    layout = _layout(query, backend)
    maps = (x.contiguous(memory_format=layout) for x in (grad_out, query, key, value))
    return load_kernels(backend).backward(*maps, bias.contiguous())


@window_attention.register_fake
def _(query, key, value, bias, backend):
    return torch.empty_like(query, memory_format=_layout(query, backend))


@window_attention_backward.register_fake
def _(grad_out, query, key, value, bias, backend):
    layout = _layout(query, backend)
    grads = (torch.empty_like(query, memory_format=layout) for _ in range(3))
    return *grads, bias.new_empty(bias.shape)


def _setup_context(ctx, inputs, output):
    *tensors, ctx.backend = inputs
    ctx.save_for_backward(*tensors)  # no more: the backward recomputes the softmax


def _backward(ctx, grad_out):
    grads = window_attention_backward(grad_out, *ctx.saved_tensors, ctx.backend)
    return *grads, None


window_attention.register_autograd(_backward, setup_context=_setup_context)


def _no_second_derivative(ctx, *grads):
    raise RuntimeError(
        'the window attention kernels have first derivatives only; '
        "for higher ones use backend='reference'"
    )


window_attention_backward.register_autograd(_no_second_derivative)
