"""Mean squared error between two features."""

import torch
from mmrazor.registry import MODELS
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from famkd.layers.widen import widen

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
        return self.loss_weight * _MeanSquaredError.apply(s_feature, t_feature)

    def check_shapes(self, s_feature: Tensor, t_feature: Tensor) -> None:
        """Checks that the features can be compared.

        Raises:
            ValueError: If the shapes differ.
        """
        check_same_shape(s_feature, t_feature)


class _MeanSquaredError(torch.autograd.Function):
    """``mse_loss`` in float32 or wider, whose gradient lies in memory as the maps do.

    PyTorch's is always contiguous: channels last, BN and ReLU before it would read it
    against its order.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        ctx.save_for_backward(s_feature, t_feature)
        return (widen(s_feature) - widen(t_feature)).square_().mean()

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor | None]:
        s_feature, t_feature = ctx.saved_tensors
        grad = (s_feature - t_feature) * (2 * grad / s_feature.numel())
        return grad, -grad if ctx.needs_input_grad[1] else None
