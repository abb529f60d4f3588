"""The fusion of ReviewKD."""

from collections.abc import Sequence

from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.layers import resize_like
from famkd.layers.kernels.gated_sum import gated_sum

from .conv_bn import ConvBN
from .review_fusion import ReviewFusion


@MODELS.register_module()
class ABFusion(ReviewFusion):
    r"""Attention-based fusion (ABF) of ReviewKD.

    .. math::
        a = \text{BN}(\text{conv}_{1 \times 1}(f)), \quad
        z = \sigma(\text{conv}_{1 \times 1}([a, r])), \quad
        \text{out} = z_0 \, a + z_1 \, r

    with :math:`z` two maps and :math:`r` resized to :math:`f`. The deepest stage
    has no review and gives :math:`a`.

    Args:
        in_channels: Channels of the student feature.
        review_channels: Channels of the review, None at the deepest stage;
            equal to ``mid_channels``. Defaults to None.
        mid_channels: Output channels. Defaults to ``in_channels``; in a
            :class:`ReviewDistiller`, to those of the student's deepest stage, 512 at
            most, at every stage.
        init_cfg: Initialisation config. Defaults to None.

    Raises:
        ValueError: If the review has other channels than ``mid_channels``.

    Source: ReviewKD (CVPR 2021, https://arxiv.org/abs/2104.09044), Fig. 3a.
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
        if review_channels not in (None, mid_channels):
            raise ValueError(
                f'ABFusion adds maps of mid_channels={mid_channels} to a review of '
                f'{review_channels} channels; give every stage the same mid_channels'
            )
        self.lateral = ConvBN(in_channels, mid_channels)
        if review_channels is not None:
            self.attention = nn.Conv2d(2 * mid_channels, 2, kernel_size=1)

    @staticmethod
    def default_mid_channels(student_channels: Sequence[int]) -> list[int]:
        return [min(512, student_channels[-1])] * len(student_channels)

    def forward_train(self, feature: Tensor, review: Tensor | None = None) -> Tensor:
        feature = self.lateral(feature)
        if review is None:
            return feature
        review = resize_like(review, feature)
        gates = self.attention  # holds weight and bias; it is not called
        return gated_sum(feature, review, gates.weight, gates.bias)
