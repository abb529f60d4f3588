"""Attention transfer."""

from mmrazor.registry import MODELS
from torch import Tensor
from torch.nn.functional import normalize

from famkd.layers import activation_map, pool_to_smaller

from .per_sample_loss import PerSampleLoss


@MODELS.register_module()
class AttentionTransferLoss(PerSampleLoss):
    r"""Attention transfer (AT) of one stage.

    .. math::
        d(s, t) = \frac{1}{HW} \lVert a_s - a_t \rVert_2^2, \qquad
        a = \frac{A}{\lVert A \rVert_2}, \qquad A = \frac{1}{C} \sum_c F_c^2

    MMRazor's ``ATLoss`` sample by sample, so that it can be guided, and for maps of
    different sizes: the larger one is pooled to the smaller.

    Args:
        loss_weight: Weight of the loss. Defaults to 1; 1000 is usual.

    Source: `Attention transfer <https://arxiv.org/abs/1612.03928>`_, eq. 2.
    """

    def per_sample(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """The distance of every sample, see :class:`PerSampleLoss`."""
        pair = pool_to_smaller(s_feature, t_feature)
        student, teacher = (normalize(activation_map(x).flatten(1)) for x in pair)
        return (student - teacher).square().mean(dim=1)
