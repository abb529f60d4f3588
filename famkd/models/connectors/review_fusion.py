"""The base of all fusions."""

from abc import abstractmethod
from collections.abc import Sequence

from mmrazor.models.architectures.connectors.base_connector import BaseConnector
from torch import Tensor


class ReviewFusion(BaseConnector):
    """Merges a student feature with the review that came up from deeper stages.

    A subclass is built with ``in_channels`` (of the student feature),
    ``review_channels`` (of the review, None at the deepest stage) and
    ``mid_channels`` (of its output, which is the review of the next shallower
    stage).
    """

    @staticmethod
    def default_mid_channels(student_channels: Sequence[int]) -> list[int]:
        """Output channels of every stage where the config does not give them.

        Args:
            student_channels: Channels of the student's stages, shallow to deep.

        Returns:
            list[int]: As many numbers; here those of the student.
        """
        return list(student_channels)

    def forward(self, feature: Tensor, review: Tensor | None = None) -> Tensor:
        """Merges a feature and a review.

        Args:
            feature: Student feature of shape (N, in_channels, H, W).
            review: Output of the deeper stage at its own size, of shape
                (N, review_channels, H', W'); None at the deepest stage. The
                fusion resizes it, see :func:`famkd.layers.resize_like`.

        Returns:
            Tensor: Shape (N, mid_channels, H, W).
        """
        return self.forward_train(feature, review)

    @abstractmethod
    def forward_train(self, feature: Tensor, review: Tensor | None = None) -> Tensor:
        """The computation of :meth:`forward` (MMRazor's name for it)."""
