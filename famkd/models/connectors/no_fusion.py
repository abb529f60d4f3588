"""No review: what is left of FAM-KD without cross attention."""

from mmrazor.registry import MODELS
from torch import Tensor

from .review_fusion import ReviewFusion


@MODELS.register_module()
class NoFusion(ReviewFusion):
    """Gives the student feature as it is, and leaves the review aside.

    Every stage stands alone, with nothing before its head: the ablation of
    FAM-KD without cross attention.

    Args:
        in_channels: Channels of the student feature.
        review_channels: Not used. Defaults to None.
        mid_channels: Output channels, equal to ``in_channels``. Defaults to
            None.
        init_cfg: Initialisation config. Defaults to None.

    Raises:
        ValueError: If ``mid_channels`` differs from ``in_channels``.
    """

    def __init__(
        self,
        in_channels: int,
        review_channels: int | None = None,
        mid_channels: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if mid_channels not in (None, in_channels):
            raise ValueError(
                f'{type(self).__name__} keeps the channels: mid_channels='
                f'{mid_channels} must equal in_channels={in_channels}'
            )

    def forward_train(self, feature: Tensor, review: Tensor | None = None) -> Tensor:
        return feature
