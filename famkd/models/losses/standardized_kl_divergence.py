"""KD of standardised logits."""

from mmrazor.models.losses import KLDivergence
from mmrazor.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class StandardizedKLDivergence(KLDivergence):
    r"""KD whose logits are standardised first (LSKD).

    .. math::
        L = w \, \tau^2 \, \text{KL}\big(
        \text{softmax}(Z(t) / \tau) \,\|\, \text{softmax}(Z(s) / \tau) \big), \qquad
        Z(x) = \frac{x - \text{mean}\, x}{\text{std}\, x}

    with mean and standard deviation over the classes of each sample: the student need
    not have logits as large as the teacher's.

    Args:
        tau: Base temperature. Defaults to 1; 2 in the paper.
        loss_weight: Weight of the loss, :math:`w`. Defaults to 1; 9 in the paper.
        **kwargs: Further arguments of MMRazor's ``KLDivergence``.

    Source: `Logit Standardization in Knowledge Distillation
    <https://arxiv.org/abs/2403.01427>`_, eq. 9.
    """

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compares class scores.

        Args:
            preds_S: The student's, shape (N, K).
            preds_T: The teacher's, likewise.

        Returns:
            Tensor: The loss, a scalar.
        """
        return super().forward(_standardize(preds_S), _standardize(preds_T))


def _standardize(logits: Tensor) -> Tensor:
    logits = logits - logits.mean(dim=1, keepdim=True)
    return logits / (logits.std(dim=1, keepdim=True) + 1e-7)
