"""The orthonormal Haar wavelet transform, by slices and adds."""

import torch
from torch import Tensor
from torch.nn.functional import pad

Details = tuple[Tensor, Tensor, Tensor]


def haar_dwt(x: Tensor, levels: int = 3) -> tuple[Tensor, list[Details]]:
    r"""Discrete wavelet transform (DWT) of maps with the Haar wavelet.

    At each level, every 2x2 block :math:`a\,b / c\,d` of the map becomes one value
    of each of four bands, half as high and wide:

    .. math::
        \text{low} = \tfrac{a + b + c + d}{2}, \quad
        \text{details} = \tfrac{a + b - c - d}{2},\ \tfrac{a - b + c - d}{2},\
        \tfrac{a - b - c + d}{2}

    and the low band is the map of the next level. A map with an odd side first gets
    a row or column of zeros at its bottom or right, so any size down to 1x1 works.

    Args:
        x: Maps, shape (..., H, W).
        levels: Number of levels, at least 1. Defaults to 3.

    Returns:
        tuple: The low band of the last level, and the three detail bands (changes
        along the height, the width, both) of each level, finest level first.
        Shapes (..., H / 2^l, W / 2^l), rounded up at each level.

    Raises:
        ValueError: If there is no level.
    """
    if levels < 1:
        raise ValueError(f'levels={levels} of a wavelet transform: it needs at least 1')
    details = []
    for _ in range(levels):
        x, detail = _split(x)
        details.append(detail)
    return x, details


def haar_idwt(
    low: Tensor, details: list[Details], size: tuple[int, int] | None = None
) -> Tensor:
    """Inverse of :func:`haar_dwt`.

    Args:
        low: Low band of the last level.
        details: Detail bands of each level, finest first.
        size: Height and width of the maps; what is beyond is the padding of an odd
            side and cut off. Defaults to None (twice the finest bands').

    Returns:
        Tensor: Maps of shape (..., H, W).
    """
    for detail in reversed(details):
        height, width = detail[0].shape[-2:]
        low = _join(low[..., :height, :width], detail)
    return low if size is None else low[..., : size[0], : size[1]]


def _split(x: Tensor) -> tuple[Tensor, Details]:
    odd_height, odd_width = x.shape[-2] % 2, x.shape[-1] % 2
    if odd_height or odd_width:
        x = pad(x, (0, odd_width, 0, odd_height))
    top, bottom = x[..., ::2, :], x[..., 1::2, :]
    add, subtract = (top + bottom) / 2, (top - bottom) / 2
    left, right = add[..., ::2], add[..., 1::2]
    left_change, right_change = subtract[..., ::2], subtract[..., 1::2]
    return left + right, (
        left_change + right_change,
        left - right,
        left_change - right_change,
    )


def _join(low: Tensor, details: Details) -> Tensor:
    along_height, along_width, along_both = details
    left, right = low + along_width, low - along_width
    left_change, right_change = along_height + along_both, along_height - along_both
    add = _interleave(left, right, dim=-1)
    subtract = _interleave(left_change, right_change, dim=-1)
    return _interleave(add + subtract, add - subtract, dim=-2) / 2


def _interleave(first: Tensor, second: Tensor, dim: int) -> Tensor:
    """Every other row (dim -2) or column (dim -1) from each of two maps."""
    # Behind the dimension that is doubled.
    return torch.stack((first, second), dim).flatten(dim - 1, dim)
