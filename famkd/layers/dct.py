"""Discrete cosine transform of maps."""

import torch
from torch import Tensor


def dct_matrix(size: int, like: Tensor) -> Tensor:
    r"""The orthonormal DCT-II as a matrix.

    .. math::
        M_{kn} = \sqrt{\tfrac{2 - [k = 0]}{\text{size}}}
        \cos \frac{\pi (2n + 1) k}{2 \, \text{size}}

    Args:
        size: Number of rows (frequencies, the lowest first) and columns (positions).
        like: Tensor whose device and dtype the matrix gets.

    Returns:
        Tensor: Shape (size, size); its transpose is its inverse.
    """
    k = torch.arange(size, device=like.device)
    # Whole periods are taken off in integers: the cosine of a large angle is rounded.
    steps = torch.outer(k, 2 * k + 1) % (4 * size)
    matrix = torch.cos(steps.to(like.dtype) * (torch.pi / (2 * size)))
    matrix[0] *= 0.5**0.5
    return matrix * (2 / size) ** 0.5


def dct2(x: Tensor) -> Tensor:
    r"""The orthonormal two-dimensional DCT-II, :math:`M_H \, x \, M_W^\top`.

    Two products with small matrices: on maps of the sizes of features (4 to 112) they
    take a half to a tenth of the time of a DCT by FFT.

    Args:
        x: Maps of shape (..., H, W), of a floating dtype.

    Returns:
        Tensor: Coefficients of shape (..., H, W), the lowest frequencies first.
    """
    height, width = x.shape[-2:]
    return dct_matrix(height, x) @ x @ dct_matrix(width, x).T
