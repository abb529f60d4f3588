"""Transposition of a complex matrix, which PyTorch copies with one thread only."""

import torch
from torch import Tensor

from .compiled import call, works


def transpose(matrix: Tensor) -> Tensor:
    """``matrix.t().contiguous()``, on CPUs with all threads.

    Args:
        matrix: Shape (M, N), complex, of any device. On the CPU it is the C++
            kernel that transposes, where it can be compiled.

    Returns:
        Tensor: Shape (N, M), contiguous.
    """
    return _transpose(matrix) if matrix.is_cpu else matrix.t().contiguous()


# An operator, so that tracers see it: they have no data to point at.
@torch.library.custom_op('famkd::transpose', mutates_args=(), device_types='cpu')
def _transpose(matrix: Tensor) -> Tensor:
    if not works():
        return matrix.t().clone(memory_format=torch.contiguous_format)
    matrix = matrix.resolve_conj().contiguous()
    out = matrix.new_empty(matrix.shape[::-1])
    call('transpose', matrix, out)
    return out


@_transpose.register_fake
def _(matrix: Tensor) -> Tensor:
    return matrix.new_empty(matrix.shape[::-1])
