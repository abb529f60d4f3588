"""SpectralKD: mean squared error of spectra."""

import torch
from mmrazor.registry import MODELS
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn.functional import adaptive_avg_pool1d

from famkd.layers import pool_to_smaller

from .per_sample_loss import PerSampleLoss


@MODELS.register_module()
class SpectralKDLoss(PerSampleLoss):
    r"""Compares the two-dimensional spectra of two features, without parameters.

    .. math::
        d(s, t) = \text{mean}\big( (\Re X)^2, (\Im X)^2 \big), \qquad
        X = \text{rfft2}(s - t)

    with the orthonormal transform, and the mean over channels and the half spectrum.
    Features of different channels or sizes are pooled to the smaller number, by
    adaptive average pooling (along the channels, too).

    The paper takes the mean over the pairs of features: divide its weight by their
    number.

    Args:
        loss_weight: Weight of the loss. Defaults to 1.

    Source: `SpectralKD <https://arxiv.org/abs/2412.19055>`_, section 3.2.
    """

    takes_1x1 = True

    def per_sample(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """The distance of every sample, see :class:`PerSampleLoss`."""
        difference = _difference(s_feature, t_feature)
        channels, height, width = difference.shape[1:]
        count = 2 * channels * height * (width // 2 + 1)
        return _HalfSpectrumEnergy.apply(difference) / count


class _HalfSpectrumEnergy(torch.autograd.Function):
    """Sum of the squares of ``rfft2`` of every sample, without a transform.

    By Parseval's theorem the half spectrum has half of the energy of the whole, and
    half of that in its columns 0 and, where W is even, W/2, which are alone in the
    whole: together the squared sums of every row, for an even W those of its even and
    of its odd places. The gradient lies in memory as the map does.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        sums = _row_sums(x)
        lone = sums.square().sum(dim=(1, 2, 3)) * (sums.shape[-1] / x.shape[-1])
        return (torch.linalg.vector_norm(x, dim=(1, 2, 3)).square() + lone) / 2

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad = grad[:, None, None, None]
        x_grad = x * grad
        # Not saved: a second derivative would take them for constants.
        sums = _row_sums(x)
        rows = x_grad.unflatten(-1, (-1, sums.shape[-1]))
        rows += (sums * (grad * (sums.shape[-1] / x.shape[-1])))[..., None, :]
        return x_grad


def _row_sums(x: Tensor) -> Tensor:
    """Sums of every row, (N, C, H, 1), or of its even and odd places, (N, C, H, 2)."""
    period = 2 - x.shape[-1] % 2
    return x.unflatten(-1, (-1, period)).sum(dim=-2)


def _difference(student: Tensor, teacher: Tensor) -> Tensor:
    student, teacher = pool_to_smaller(student, teacher)
    channels = min(student.shape[1], teacher.shape[1])
    return _pool_channels(student, channels) - _pool_channels(teacher, channels)


def _pool_channels(x: Tensor, channels: int) -> Tensor:
    """A map (N, C, H, W) with its channels averaged to so many."""
    if x.shape[1] == channels:
        return x
    pooled = adaptive_avg_pool1d(x.flatten(2).transpose(1, 2), channels)
    return pooled.transpose(1, 2).unflatten(2, x.shape[2:])
