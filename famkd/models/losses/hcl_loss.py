"""Hierarchical context loss."""

from mmrazor.registry import MODELS
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from famkd.layers.widen import widen

from .stage_mse_loss import StageMSELoss


@MODELS.register_module()
class HCLLoss(StageMSELoss):
    r"""Hierarchical context loss (HCL) of one stage.

    .. math::
        \frac{\text{mse}(o, g) + \sum_j 2^{-j} \, \text{mse}(\text{pool}_{l_j}(o),
        \text{pool}_{l_j}(g))}{1 + \sum_j 2^{-j}}

    over those :math:`l_j` of 4, 2, 1 (j counts the ones used, from 1) that are
    smaller than the height, with :math:`\text{pool}_l` adaptive average pooling
    to l x l.

    Args:
        loss_weight: Weight of the loss. Defaults to 1.

    Source: `ReviewKD <https://arxiv.org/abs/2104.09044>`_, Fig. 3b.
    """

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compares maps.

        Args:
            s_feature: Output of the student's stage, shape (N, C, H, W).
            t_feature: Feature of the teacher, the same shape.

        Returns:
            Tensor: The loss, a scalar in float32 or wider.
        """
        self.check_shapes(s_feature, t_feature)
        pooled = difference = widen(s_feature) - widen(t_feature)
        loss = difference.square().mean()
        # Where the cells of 4 divide the map, those of 2 and 1 are cells of them.
        nested = all(n % 4 == 0 for n in difference.shape[-2:])
        total = weight = 1.0
        for size in (4, 2, 1):
            if size < s_feature.shape[-2]:
                weight /= 2
                total += weight
                pooled = adaptive_avg_pool2d(pooled if nested else difference, size)
                loss = loss + weight * pooled.square().mean()
        return self.loss_weight * loss / total
