"""The ground truth and the class scores of a batch, as losses ask for them."""

from functools import cached_property
from inspect import Parameter, signature

import torch
from mmengine.structures import BaseDataElement
from mmrazor.models.task_modules.recorder.base_recorder import BaseRecorder
from torch import Tensor, nn

from famkd.layers.widen import widen


class Targets:
    """Everything beyond two features that a loss may ask for by its arguments' names.

    Args:
        data_samples: Ground truth of the batch.
        student_logits: The student's class scores, shape (N, K), where recorded.
        teacher_logits: The teacher's, likewise.
    """

    NAMES = ('data_samples', 'gt_labels', 'teacher_logits', 'correct')

    def __init__(
        self,
        data_samples: list[BaseDataElement] | None = None,
        student_logits: Tensor | None = None,
        teacher_logits: Tensor | None = None,
    ) -> None:
        self.data_samples = data_samples
        self.student_logits = student_logits
        self.teacher_logits = teacher_logits

    @cached_property
    def gt_labels(self) -> Tensor:
        """The class of every sample, shape (N,).

        Raises:
            ValueError: If a sample has no class, several, or a mixture (mixup).
        """
        samples = self.data_samples
        if not samples or not all('gt_label' in sample for sample in samples):
            raise ValueError(
                'the data samples have no gt_label: what asks for classes (guided, '
                'gt_labels) needs the data of a classifier'
            )
        if any(sample.gt_label.numel() != 1 for sample in samples):
            raise ValueError('gt_label has several classes; give each image one')
        if any('gt_score' in s and s.gt_score.max() < 1 for s in samples):
            raise ValueError(
                'the labels are soft (gt_score below 1), so that no class is right or '
                'wrong: leave mixup, CutMix and the like out of '
                'data_preprocessor.batch_augments and of train_cfg.augments of the '
                'student, or leave out what asks for classes (guided)'
            )
        return torch.cat([sample.gt_label.flatten() for sample in samples])

    @cached_property
    def correct(self) -> Tensor:
        r"""The samples that the teacher classifies right, shape (N,), bool.

        .. math::
            \text{correct}_n = [\arg\max_k \text{logits}_{nk} = \text{label}_n]

        Source: prediction guidance of the `DCT-driven loss
        <https://arxiv.org/abs/2205.01997>`_.
        """
        logits = self.teacher_logits
        return logits.argmax(dim=1) == self.gt_labels.to(logits.device)


def asked_by(loss: nn.Module) -> dict[str, bool]:
    """Which of :class:`Targets` a loss asks for: arguments of its ``forward``.

    Returns:
        dict: Name of the argument -> whether it has no default.
    """
    arguments = signature(loss.forward).parameters
    return {
        name: arguments[name].default is Parameter.empty
        for name in Targets.NAMES
        if name in arguments
    }


def read_logits(recorder: BaseRecorder, role: str) -> Tensor:
    """The class scores that a recorder holds, shape (N, K), in float32 or wider.

    Args:
        recorder: Recorder of the head.
        role: Whose it is, ``'student'`` or ``'teacher'``.

    Raises:
        ValueError: If the head gives something else, as that of a detector does, or
            is not called.
    """
    logits = recorder.data_buffer[0] if recorder.data_buffer else None
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise ValueError(
            f'the {recorder.source} of the {role} gives no class scores (N, K), which '
            'guided and logit_loss need: they are for classifiers'
        )
    return widen(logits)
