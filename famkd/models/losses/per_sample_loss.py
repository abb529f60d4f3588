"""Losses that compare two features sample by sample."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from famkd.layers.widen import widen


class PerSampleLoss(nn.Module, ABC):
    r"""The mean over the batch of a loss of each sample, which may be guided.

    .. math:: L = \frac{w}{N} \sum_n \text{correct}_n \, d(s_n, t_n)

    A subclass says what the distance :math:`d` of a sample is, in :meth:`per_sample`,
    and whether it is more than 0 on maps of a single place, in ``takes_1x1``.
    With prediction guidance only those samples count that the teacher classifies
    right; the sum is divided by the number of all.

    Args:
        loss_weight: Weight of the loss, :math:`w`. Defaults to 1.

    Source: `The DCT-driven loss <https://arxiv.org/abs/2205.01997>`_, section III.
    """

    takes_1x1 = False

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    @abstractmethod
    def per_sample(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """The distance of every sample, finite and with finite gradients.

        Args:
            s_feature: Feature of the student, shape (N, C_s, H_s, W_s), float32 or
                wider.
            t_feature: Feature of the teacher, shape (N, C_t, H_t, W_t), likewise.

        Returns:
            Tensor: Shape (N,).
        """

    def forward(
        self, s_feature: Tensor, t_feature: Tensor, correct: Tensor | None = None
    ) -> Tensor:
        """Compares features, in float32 or wider, inside autocast too.

        Args:
            s_feature: Feature of the student, shape (N, C_s, H_s, W_s).
            t_feature: Feature of the teacher, shape (N, C_t, H_t, W_t).
            correct: Which samples count, shape (N,), bool. Defaults to None (all).

        Returns:
            Tensor: The loss, a scalar.

        Raises:
            ValueError: If the features have different numbers of samples, or one of
                them is a 1x1 map, unless the loss takes these.
        """
        self.check_shapes(s_feature, t_feature)
        with torch.autocast(s_feature.device.type, enabled=False):
            losses = self.per_sample(widen(s_feature), widen(t_feature))
            if correct is not None:
                losses = torch.where(correct, losses, 0)
            return self.loss_weight * losses.mean()

    def check_shapes(self, s_feature: Tensor, t_feature: Tensor) -> None:
        """Checks that there is something to compare.

        Raises:
            ValueError: If the features have different numbers of samples, or one of
                them is a 1x1 map, unless the loss takes these.
        """
        shapes = tuple(s_feature.shape), tuple(t_feature.shape)
        both = f'the feature of the student is {shapes[0]}, of the teacher {shapes[1]}'
        if any(len(shape) != 4 for shape in shapes) or shapes[0][0] != shapes[1][0]:
            raise ValueError(
                f'{both}; {type(self).__name__} compares maps (N, C, H, W) of the same '
                'N images'
            )
        if not self.takes_1x1 and any(shape[-2:] == (1, 1) for shape in shapes):
            raise ValueError(
                f'{both}: a 1x1 map has no places to compare, and '
                f'{type(self).__name__} of it is always 0; name a stage before the '
                'pooling, or leave it out'
            )
