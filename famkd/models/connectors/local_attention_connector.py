"""Local attention alone: the stages of layer-to-layer FAM-KD."""

from collections.abc import Sequence

from mmrazor.registry import MODELS
from torch import Tensor

from famkd.layers import LocalAttention

from .review_fusion import ReviewFusion


@MODELS.register_module()
class LocalAttentionConnector(ReviewFusion):
    r"""Local self-attention of a student feature, :math:`\text{LA}(f)`.

    As the fusion of a :class:`ReviewDistiller` it leaves the review aside, so
    that every stage stands alone (layer-to-layer FAM-KD). It serves equally as
    a connector of MMRazor's ``ConfigurableDistiller``.

    Args:
        in_channels: Channels of the student feature, an even number.
        review_channels: Not used: a stage that stands alone takes no review.
            Defaults to None.
        mid_channels: Output channels, equal to ``in_channels``. Defaults to
            None.
        backend: Attention kernel, see :class:`famkd.layers.LocalAttention`.
            Defaults to None.
        init_cfg: Initialisation config. Defaults to None.

    Raises:
        ValueError: If ``in_channels`` is odd or differs from ``mid_channels``.

    Source: FAM-KD (WACV 2024), Fig. 2.
    """

    def __init__(
        self,
        in_channels: int,
        review_channels: int | None = None,
        mid_channels: int | None = None,
        backend: str | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if mid_channels not in (None, in_channels):
            raise ValueError(
                f'LocalAttentionConnector keeps the channels: mid_channels='
                f'{mid_channels} must equal in_channels={in_channels}'
            )
        self.attention = LocalAttention(in_channels, backend)

    @staticmethod
    def default_mid_channels(student_channels: Sequence[int]) -> list[int]:
        return list(student_channels)

    def forward_train(self, feature: Tensor, review: Tensor | None = None) -> Tensor:
        return self.attention(feature)
