"""Transposition of a complex matrix, which PyTorch copies with one thread only."""

import functools

import torch
from torch import Tensor

from .compiled import call, library, warn_of_fallback


def transpose(matrix: Tensor) -> Tensor:
    """``matrix.t().contiguous()``, with all threads on the CPU.

    Args:
        matrix: Shape (M, N), complex, of any device. On the CPU it is the C++
            kernel that transposes, where it can be compiled.

    Returns:
        Tensor: Shape (N, M), contiguous.
    """
    if matrix.device.type != 'cpu':
        return matrix.t().contiguous()
    return _transpose(matrix)


# An operator, so that tracers see it: they have no data to point at.
@torch.library.custom_op('famkd::transpose', mutates_args=())
def _transpose(matrix: Tensor) -> Tensor:
    if not _compiles():
        return matrix.t().clone(memory_format=torch.contiguous_format)
    matrix = matrix.resolve_conj().contiguous()
    out = matrix.new_empty(matrix.shape[::-1])
    call('transpose', matrix, out)
    return out


@_transpose.register_fake
def _(matrix: Tensor) -> Tensor:
    return matrix.new_empty(matrix.shape[::-1])


@functools.cache
def _compiles() -> bool:
    try:
        library()
    except RuntimeError as error:
        warn_of_fallback(str(error))
        return False
    return True
