"""Low and high frequencies of a map, weighed and compared apart."""

import math

import torch
from mmrazor.registry import MODELS
from torch import Tensor

from famkd.layers import dct2, haar_dwt

from .per_sample_loss import PerSampleLoss
from .same_shape import check_same_shape


@MODELS.register_module()
class BandSplitLoss(PerSampleLoss):
    r"""Strict on the low frequencies of a map, relaxed on the high ones.

    .. math::
        d(s, t) = w_\text{low} \, \text{mean}_{k \in \text{low}} \delta_k^2
        + w_\text{high} \, \text{mean}_{k \in \text{high}} \log(1 + \delta_k^2),
        \qquad \delta = \text{transform}(s - t)

    with an orthonormal transform. A teacher's low band tells what is there, its high
    band much that a small student cannot follow: there the logarithm keeps large
    differences from ruling the loss. Sizes must agree, and channels, too: put a
    connector before it where they do not.

    The common idea of several methods, ours in its details: `FreeKD
    <https://arxiv.org/abs/2311.12079>`_ (bands of a wavelet), and FreeKD+, FD-CMKD and
    UFD-KD (low and high band treated apart, a relaxed loss on the high one).

    Args:
        transform: ``'dct'`` (DCT-II), ``'haar'`` (wavelet) or ``'fft'``. Defaults to
            ``'dct'``.
        cutoff: The part of the frequencies of each axis that is low, above 0 and below
            1; for ``'haar'`` a power of 1/2. Defaults to 0.25.
        low_weight: Weight of the low band. Defaults to 1.
        high_weight: Weight of the high band. Defaults to 1.
        loss_weight: Weight of both. Defaults to 1.

    Raises:
        ValueError: If an option has no such value, or the shapes differ.
    """

    takes_1x1 = True

    def __init__(
        self,
        transform: str = 'dct',
        cutoff: float = 0.25,
        low_weight: float = 1.0,
        high_weight: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(loss_weight)
        if transform not in _BANDS:
            raise ValueError(
                f'transform={transform!r} is unknown; choose one of '
                f'{", ".join(map(repr, _BANDS))}'
            )
        if not 0 < cutoff < 1:
            raise ValueError(f'cutoff={cutoff} must be above 0 and below 1')
        if transform == 'haar' and not math.log2(cutoff).is_integer():
            raise ValueError(
                f"cutoff={cutoff} must be a power of 1/2 for transform='haar', such as "
                '0.5, 0.25 or 0.125'
            )
        self.bands = _BANDS[transform]
        self.cutoff = cutoff
        self.low_weight = low_weight
        self.high_weight = high_weight

    def per_sample(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """The distance of every sample, see :class:`PerSampleLoss`."""
        low, high = self.bands(s_feature - t_feature, self.cutoff)
        strict = low.square().mean(dim=(1, 2, 3))
        relaxed = sum(x.square().log1p().sum(dim=(1, 2, 3)) for x in high)
        count = max(1, sum(x[0].numel() for x in high))
        return self.low_weight * strict + self.high_weight * relaxed / count

    def check_shapes(self, s_feature: Tensor, t_feature: Tensor) -> None:
        """Checks that the features are maps of one shape.

        Raises:
            ValueError: If they are not.
        """
        super().check_shapes(s_feature, t_feature)
        check_same_shape(s_feature, t_feature)


# Each gives the low band and the parts of the high one, (N, C, H, W) each.
def _dct_bands(x: Tensor, cutoff: float) -> tuple[Tensor, list[Tensor]]:
    return _split(dct2(x), *(math.ceil(cutoff * n) for n in x.shape[2:]))


def _fft_bands(x: Tensor, cutoff: float) -> tuple[Tensor, list[Tensor]]:
    # frequencies -f to f with f below cutoff / 2, moved to the front
    height, width = (math.ceil(cutoff * n / 2) - 1 for n in x.shape[2:])
    spectrum = torch.view_as_real(torch.fft.fft2(x, norm='ortho')).movedim(-1, 1)
    spectrum = spectrum.flatten(1, 2).roll((height, width), dims=(2, 3))
    return _split(spectrum, 2 * height + 1, 2 * width + 1)


def _haar_bands(x: Tensor, cutoff: float) -> tuple[Tensor, list[Tensor]]:
    low, details = haar_dwt(x, levels=round(-math.log2(cutoff)))
    return low, [band for level in details for band in level]


_BANDS = {'dct': _dct_bands, 'haar': _haar_bands, 'fft': _fft_bands}


def _split(x: Tensor, height: int, width: int) -> tuple[Tensor, list[Tensor]]:
    """The first rows and columns of coefficients, and the others."""
    rows = x[:, :, :height]
    return rows[..., :width], [rows[..., width:], x[:, :, height:]]
