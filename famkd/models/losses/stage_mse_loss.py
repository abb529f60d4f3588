"""Mean squared error between two features."""

from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.layers.kernels.squared_error import mean_squared_error

from .same_shape import check_same_shape


@MODELS.register_module()
class StageMSELoss(nn.Module):
    r"""Loss of one stage: :math:`\text{weight} \cdot \text{mean}((o - g)^2)`.

    Args:
        loss_weight: Weight of the loss, :math:`\alpha`. Defaults to 1.

    Source: `FAM-KD <https://arxiv.org/abs/2403.05894>`_, section 3.3.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compares features.

        Args:
            s_feature: Output of the student's stage, any shape.
            t_feature: Feature of the teacher, the same shape.

        Returns:
            Tensor: The loss, a scalar in float32 or wider.

        Raises:
            ValueError: If the shapes differ.
        """
        self.check_shapes(s_feature, t_feature)
        return self.loss_weight * mean_squared_error(s_feature, t_feature)

    def check_shapes(self, s_feature: Tensor, t_feature: Tensor) -> None:
        """Checks that the features can be compared.

        Raises:
            ValueError: If the shapes differ.
        """
        check_same_shape(s_feature, t_feature)
