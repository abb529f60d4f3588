"""Masks over the wavelet bands of a map, from prompts (FreeKD)."""

import torch
from torch import Tensor

from .haar import Details, haar_dwt, haar_idwt
from .widen import widen

OVERLAPS = ('jaccard', 'dice')


def frequency_masks(x: Tensor, prompts: Tensor) -> list[Tensor]:
    r"""The places of each band that each prompt asks for.

    .. math:: M_b = \text{sigmoid}(P_b R_b)

    with :math:`R_b` the low band itself, or the sum of the three detail bands of a
    level. The transform is linear, so the prompts are applied to the map and the
    few channels that they give are transformed, not the many of the map.

    Args:
        x: Maps F, shape (N, C, H, W).
        prompts: P, shape (levels + 1, T, C): T prompts for the low band, then for
            each level, the finest first.

    Returns:
        list[Tensor]: M of each of these bands, shape (N, T, h, w) of the band, in
        float32 or wider.

    Source: FreeKD (CVPR 2024), https://arxiv.org/abs/2311.12079, and its released
    code.
    """
    bands, count, _ = prompts.shape
    # Sums over all channels, and low bands, of half precision may be infinite.
    x = widen(x)
    with torch.autocast(x.device.type, enabled=False):
        rows = prompts.flatten(0, 1).to(x.dtype)
        answers = torch.einsum('kc,nchw->nkhw', rows, x)
    low, details = haar_dwt(answers.unflatten(1, (bands, count)), bands - 1)
    sums = [low[:, 0]]
    sums += [sum(d[:, i] for d in detail) for i, detail in enumerate(details, start=1)]
    return [band.sigmoid() for band in sums]


def prompted_map(x: Tensor, masks: list[Tensor]) -> Tensor:
    r"""A map of whose bands only what the masks let through is left.

    .. math:: \text{DWT}^{-1}(\textstyle\sum_i M_{b,i} \, B_b)

    Args:
        x: Maps, shape (N, C, H, W).
        masks: Masks of each band, as :func:`frequency_masks` gives them.

    Returns:
        Tensor: Maps of the same shape and dtype.
    """
    low, details = haar_dwt(widen(x), len(masks) - 1)  # low bands are large
    low_weight, *weights = (mask.sum(1, keepdim=True).to(low) for mask in masks)
    passed: list[Details] = [
        tuple(weight * band for band in detail)
        for weight, detail in zip(weights, details, strict=True)
    ]
    prompted = haar_idwt(low_weight * low, passed, x.shape[-2:])
    # What follows may want a view of it, which the cropped one is not good for.
    return prompted.to(x.dtype).contiguous()


def mask_overlap(masks: list[Tensor], kind: str = 'jaccard') -> Tensor:
    r"""How much the masks of different prompts cover the same places.

    The sum over the bands of the mean over the batch and over :math:`i \ne j` of

    .. math::
        J_{ij} = \frac{\sum M_i M_j}{\sum M_i^2 + \sum M_j^2 - \sum M_i M_j}
        \quad \text{or} \quad
        D_{ij} = \frac{2 \sum M_i M_j}{\sum M_i^2 + \sum M_j^2}

    Args:
        masks: Masks of each band, shape (N, T, h, w).
        kind: ``'jaccard'``, the paper's, or ``'dice'``, the released code's.
            Defaults to ``'jaccard'``.

    Returns:
        Tensor: A scalar from 0 to the number of bands; 0 where T is 1.

    Raises:
        ValueError: If the kind is unknown.

    Source: FreeKD (CVPR 2024), https://arxiv.org/abs/2311.12079.
    """
    if kind not in OVERLAPS:
        raise ValueError(f'overlap={kind!r} is unknown; use {" or ".join(OVERLAPS)}')
    total = masks[0].new_zeros(())
    count = masks[0].shape[1]
    if count == 1:
        return total
    for mask in masks:
        flat = mask.flatten(2)
        # The sums over all places of a large map overflow in half precision.
        with torch.autocast(mask.device.type, enabled=False):
            common = flat @ flat.transpose(1, 2)
        squares = common.diagonal(dim1=1, dim2=2)
        both = squares[:, :, None] + squares[:, None, :]
        ratio = (2 * common, both) if kind == 'dice' else (common, both - common)
        # The squares of masks that are closed everywhere can all be 0.
        overlap = ratio[0] / ratio[1].clamp_min(1e-12)
        others = overlap.sum((1, 2)) - overlap.diagonal(dim1=1, dim2=2).sum(1)
        total = total + others.mean() / (count * (count - 1))
    return total
