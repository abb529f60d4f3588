"""Probabilistic knowledge transfer."""

import torch
from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.layers.widen import widen


@MODELS.register_module()
class PKTLoss(nn.Module):
    r"""Probabilistic knowledge transfer (PKT): how the samples of a batch are related.

    .. math::
        L = \frac{w}{N^2} \sum_{ij} T_{ij} \log \frac{T_{ij} + \epsilon}
        {S_{ij} + \epsilon}

    where the rows of S and T are :math:`(1 + \cos(x_i, x_j)) / 2`, divided by their
    sum, of the student's and the teacher's vectors. It compares pairs of samples, so it
    cannot be guided by what the teacher says of one.

    Args:
        loss_weight: Weight of the loss, w. Defaults to 1; 30000 is usual.
        eps: :math:`\epsilon`, also added to the norms. Defaults to 1e-7.

    Source: `PKT <https://arxiv.org/abs/1803.10837>`_, eqs. 2 to 5.
    """

    def __init__(self, loss_weight: float = 1.0, eps: float = 1e-7) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.eps = eps

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compares the relations, in float32 or wider, inside autocast too.

        Args:
            s_feature: Vectors of the student, shape (N, C_s), or maps
                (N, C_s, H, W), which are averaged over their places.
            t_feature: Those of the teacher, of any number of channels.

        Returns:
            Tensor: The loss, a scalar.
        """
        with torch.autocast(s_feature.device.type, enabled=False):
            student, teacher = self._relations(s_feature), self._relations(t_feature)
            ratio = (teacher + self.eps) / (student + self.eps)
            return self.loss_weight * (teacher * ratio.log()).mean()

    def _relations(self, x: Tensor) -> Tensor:
        x = widen(x)
        if x.ndim > 2:
            x = x.flatten(2).mean(dim=2)
        x = x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + self.eps)
        similarity = (x @ x.T + 1) / 2
        return similarity / similarity.sum(dim=1, keepdim=True)
