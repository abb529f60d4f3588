"""The fusion of FAM-KD."""

from mmrazor.registry import MODELS
from torch import Tensor

from famkd.layers import LocalAttention

from .conv_bn import ConvBN
from .review_fusion import ReviewFusion


@MODELS.register_module()
class CrossAttentionFusion(ReviewFusion):
    r"""Cross attention between a student feature and the review (FAM-KD).

    .. math:: a = \text{CrossAT}(x = \text{lateral}(f), \;
        y = \text{resize}(\text{residual}(r)))

    ``lateral`` and ``residual`` are 1x1 convolutions with BN and ReLU, present
    only where the channels differ from ``mid_channels``. The deepest stage has
    no review and gives ``lateral(f)``.

    Args:
        in_channels: Channels of the student feature.
        review_channels: Channels of the review, None at the deepest stage.
            Defaults to None.
        mid_channels: Output channels, even. Defaults to ``in_channels``.
        init_cfg: Initialisation config. Defaults to None.

    Raises:
        ValueError: If there is a review and ``mid_channels`` is odd.

    Source: FAM-KD (WACV 2024, https://arxiv.org/abs/2403.05894), Fig. 3.
    """

    def __init__(
        self,
        in_channels: int,
        review_channels: int | None = None,
        mid_channels: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        mid_channels = mid_channels or in_channels
        self.lateral = _pointwise(in_channels, mid_channels)
        if review_channels is not None:
            self.residual = _pointwise(review_channels, mid_channels)
            self.attention = LocalAttention(mid_channels)

    def forward_train(self, feature: Tensor, review: Tensor | None = None) -> Tensor:
        if self.lateral is not None:
            feature = self.lateral(feature)
        if review is None:
            return feature
        if self.residual is not None:
            review = self.residual(review)
        # After the BN of residual: its statistics are those of the smaller map.
        return self.attention(feature, review)  # which resizes it


def _pointwise(in_channels: int, out_channels: int) -> ConvBN | None:
    if in_channels == out_channels:
        return None
    return ConvBN(in_channels, out_channels, with_relu=True)
