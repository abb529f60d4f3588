"""The distance of two maps in their wavelet bands."""

import torch
from torch import Tensor

from .haar import haar_dwt
from .widen import widen


def frequency_distance(
    s_feature: Tensor,
    t_feature: Tensor,
    masks: list[Tensor] | None = None,
    low_band: bool = True,
    levels: int = 3,
) -> Tensor:
    r"""Masked absolute difference of the wavelet bands of two maps, per channel.

    .. math::
        d_c = \sum_b \text{mean}\left(\bar M_b \, |B_b(s)_c - B_b(t)_c|\right)

    The sum is over the levels and, if asked for, the low band; the mean over the
    places (and the three detail bands of a level); :math:`\bar M_b` is the mean of
    the masks. It is the mean over T of the paper's
    :math:`|M_t B(s) - M_t B(t)|`, because no mask is negative. The transform is
    linear: the difference is transformed once, not each map.

    Args:
        s_feature: Maps of the student, shape (N, C, H, W).
        t_feature: Maps of the teacher, the same shape.
        masks: Masks of the low band and of each level, shape (N, T, h, w), see
            :func:`frequency_masks`. Defaults to None: everything counts.
        low_band: Whether the low band is compared, too. Defaults to True.
        levels: Number of levels. Defaults to 3.

    Returns:
        Tensor: d, shape (N, C), in float32 or wider.

    Source: FreeKD (CVPR 2024), https://arxiv.org/abs/2311.12079.
    """
    low, details = haar_dwt(widen(s_feature) - widen(t_feature), levels)
    bands = [*([(low,)] if low_band else []), *details]
    if masks is None:
        return sum(sum(x.abs().mean((2, 3)) for x in b) / len(b) for b in bands)
    means = [mask.mean(1).to(low.dtype) for mask in masks[0 if low_band else 1 :]]
    total = 0.0
    # Sums over all places of a large map are infinite in half precision.
    with torch.autocast(low.device.type, enabled=False):
        for band, mean in zip(bands, means, strict=True):
            places = mean[0].numel() * len(band)
            for x in band:
                total = total + torch.einsum('nchw,nhw->nc', x.abs(), mean) / places
    return total
