"""The DCT-driven loss on activation maps."""

import torch
from mmrazor.registry import MODELS
from torch import Tensor

from famkd.layers import activation_map, dct2, pool_to_smaller

from .per_sample_loss import PerSampleLoss


@MODELS.register_module()
class DCTAttentionLoss(PerSampleLoss):
    r"""Compares the spectra of the activation maps of one stage.

    .. math::
        d(s, t) = \lVert D_s - D_t \rVert_2, \qquad
        D = \text{minmax}(\text{transform}(A' - \text{mean} A')), \qquad
        A' = \text{minmax}(A), \qquad A = \frac{1}{C} \sum_c F_c^2

    with :math:`\text{minmax}(X) = (X - \min X) / (\max X - \min X)` over the map of a
    sample, and 0 for a constant one. The norm is a sum over the coefficients, not a
    mean, so that large maps weigh more. Where the maps have different sizes, the larger
    one is pooled to the smaller.

    Args:
        transform: ``'dct'``, the orthonormal DCT-II of the paper, or ``'real_dft'``,
            the real part of the discrete Fourier transform, as released. The latter is
            symmetric: distances are 1.3 to 1.9 times as large, and its weights are
            those of the paper's tables. Defaults to ``'dct'``.
        loss_weight: Weight of the loss. Defaults to 1.

    Raises:
        ValueError: If the transform is unknown.

    Source: `Attention-based Knowledge Distillation in Multi-attention Tasks: The
    Impact of a DCT-driven Loss <https://arxiv.org/abs/2205.01997>`_, section III.
    """

    def __init__(self, transform: str = 'dct', loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        if transform not in _TRANSFORMS:
            raise ValueError(
                f'transform={transform!r} is unknown; choose one of '
                f'{", ".join(map(repr, _TRANSFORMS))}'
            )
        self.transform = transform

    def per_sample(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """The distance of every sample, see :class:`PerSampleLoss`."""
        pair = pool_to_smaller(s_feature, t_feature)
        maps = torch.cat([activation_map(x) for x in pair])
        student, teacher = self.spectrum(maps).chunk(2)
        # Its gradient at 0 is 0.
        return torch.linalg.vector_norm(student - teacher, dim=(-2, -1))

    def spectrum(self, maps: Tensor) -> Tensor:
        """The spectra D of activation maps A, both of shape (N, H, W).

        The min-max of A is not computed: it changes the scale of A' - mean A', which
        the min-max of the spectrum takes away.
        """
        dims = (-2, -1)
        spectra = _TRANSFORMS[self.transform](maps - maps.mean(dims, keepdim=True))
        low, high = (x(dims, keepdim=True) for x in (spectra.amin, spectra.amax))
        # A spectrum that is no larger than the rounding of its map is constant.
        largest = maps.detach().amax(dims, keepdim=True)
        eps = torch.finfo(maps.dtype).eps * maps[0].numel() ** 0.5
        constant = high - low <= 8 * eps * largest
        # The inner one keeps 0 / 0 out of the gradient, the outer out of the result.
        span = torch.where(constant, 1, high - low)
        return torch.where(constant, 0, (spectra - low) / span)


def _real_dft(maps: Tensor) -> Tensor:
    return torch.fft.fft2(maps, norm='ortho').real


_TRANSFORMS = {'dct': dct2, 'real_dft': _real_dft}
