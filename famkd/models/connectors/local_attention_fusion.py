"""Local attention alone: the stages of layer-to-layer FAM-KD."""

from mmrazor.registry import MODELS
from torch import Tensor

from famkd.layers import LocalAttention

from .no_fusion import NoFusion


@MODELS.register_module(name=['LocalAttentionFusion', 'LocalAttentionConnector'])
class LocalAttentionFusion(NoFusion):
    r"""Local self-attention of a student feature, :math:`\text{LA}(f)`.

    It leaves the review aside, so that every stage stands alone (layer-to-layer
    FAM-KD). ``LocalAttentionConnector``, its name as a connector of MMRazor's
    ``ConfigurableDistiller``, is the same class.

    Args:
        in_channels: Channels of the student feature, an even number.
        review_channels: Not used: a stage that stands alone takes no review.
            Defaults to None.
        mid_channels: Output channels, equal to ``in_channels``. Defaults to
            None.
        init_cfg: Initialisation config. Defaults to None.

    Raises:
        ValueError: If ``in_channels`` is odd or differs from ``mid_channels``.

    Source: FAM-KD (WACV 2024, https://arxiv.org/abs/2403.05894), Fig. 2.
    """

    def __init__(
        self,
        in_channels: int,
        review_channels: int | None = None,
        mid_channels: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(in_channels, review_channels, mid_channels, init_cfg)
        self.attention = LocalAttention(in_channels)

    def forward_train(self, feature: Tensor, review: Tensor | None = None) -> Tensor:
        return self.attention(feature)


LocalAttentionConnector = LocalAttentionFusion
