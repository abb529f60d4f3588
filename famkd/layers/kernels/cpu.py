"""Window attention by the C++ kernel."""

import torch
from torch import Tensor

from .compiled import call, library


def check(device: str) -> None:
    """Raise ValueError if not for this device, RuntimeError if it cannot compile."""
    if device != 'cpu':
        raise ValueError(
            f"window attention backend 'cpu' needs tensors on the CPU, got {device}"
        )
    library()


def forward(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Window attention of contiguous tensors, all float32 or all float64."""
    out = torch.empty_like(query)
    call('forward', query, key, value, bias, out)
    return out


def backward(
    grad_out: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of query, key, value and bias."""
    grads = [torch.empty_like(query) for _ in range(3)]
    # summed over the batch here, in an order that no thread count changes
    grad_bias = query.new_empty(len(query), *bias.shape)
    call('backward', grad_out, query, key, value, bias, *grads, grad_bias)
    return *grads, grad_bias.sum(0)
