"""Transposition of a complex matrix, which PyTorch copies with one thread only."""

import functools
import logging

from torch import Tensor

from .compiled import call, library

logger = logging.getLogger('famkd')


def transpose(matrix: Tensor) -> Tensor:
    """``matrix.t().contiguous()``, on the CPU 2 to 4 times as fast.

    Args:
        matrix: Shape (M, N), complex, of any device. On the CPU it is the C++
            kernel that transposes, where it can be compiled.

    Returns:
        Tensor: Shape (N, M), contiguous.
    """
    if matrix.device.type != 'cpu' or not _compiles():
        return matrix.t().contiguous()
    matrix = matrix.resolve_conj().contiguous()
    out = matrix.new_empty(matrix.shape[::-1])
    call('transpose', matrix, out)
    return out


@functools.cache
def _compiles() -> bool:
    try:
        library()
    except RuntimeError as error:
        logger.info('famkd: PyTorch transposes the spectra of FAM: %s', error)
        return False
    return True
