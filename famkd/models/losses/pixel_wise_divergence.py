"""KD of segmentors, pixel by pixel."""

from mmrazor.models.losses import KLDivergence
from mmrazor.registry import MODELS
from torch import Tensor

from .same_shape import check_same_scores


@MODELS.register_module()
class PixelWiseDivergence(KLDivergence):
    r"""KD of the class scores at every pixel, which counts as a sample.

    .. math::
        L = w \, \tau^2 \, \underset{n, y, x}{\text{mean}} \; \text{KL}\big(
        \text{softmax}(t_{nyx} / \tau) \,\|\, \text{softmax}(s_{nyx} / \tau) \big)

    MMRazor's ``KLDivergence`` takes maps, too, and sums over the pixels, so that its
    weight would have to change with the size of the images.

    Args:
        tau: Temperature. Defaults to 1.
        loss_weight: Weight of the loss, :math:`w`. Defaults to 1.
        **kwargs: Further arguments of MMRazor's ``KLDivergence``.

    Source: the pixel-wise loss of `Structured Knowledge Distillation
    <https://arxiv.org/abs/1903.04197>`_, eq. 1.
    """

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compares maps of class scores.

        Args:
            preds_S: The student's, shape (N, K, H, W).
            preds_T: The teacher's, likewise.

        Returns:
            Tensor: The loss, a scalar.

        Raises:
            ValueError: If the maps have other shapes, or one class.
        """
        check_same_scores(preds_S, preds_T)
        if preds_S.shape[1] == 1:
            raise ValueError(
                'the networks give one class score for each pixel, whose softmax is '
                'always 1: the loss would be 0; give the heads out_channels=2, or take '
                'ChannelWiseDivergence (CWD)'
            )
        return super().forward(_pixels(preds_S), _pixels(preds_T))


def _pixels(scores: Tensor) -> Tensor:
    return scores.movedim(1, -1).flatten(end_dim=-2)
