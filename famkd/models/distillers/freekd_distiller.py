"""Distillation in the frequency domain, where frozen prompts say (FreeKD)."""

import logging

from mmengine.logging import print_log
from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.layers import ChannelRelation, frequency_distance, frequency_masks
from famkd.models.losses import StageMSELoss
from famkd.models.prompt_file import check_prompts, read_prompts
from famkd.models.teacher_note import same_teacher, tell_teacher

from .stage_distiller import StageDistiller
from .stages import check_order
from .targets import Targets


@MODELS.register_module()
class FreeKDDistiller(StageDistiller):
    r"""Compares the wavelet bands of aligned maps under the teacher's prompts.

    For each pair of maps, with :math:`a` the student's after a 1x1 convolution with
    bias and :math:`t` the teacher's, and :math:`\bar M_b` the mean of the masks that
    the frozen prompts find in the teacher's band :math:`b`:

    .. math::
        L_i = \mu \sum_b \text{mean}\left(w_c \, \bar M_b \, |B_b(a) - B_b(t)|\right)
            + \nu \, \text{mse}(a, t)

    over the levels of a Haar wavelet transform and the low band. The position-aware
    weights :math:`w_c`, one per channel with mean 1, are the product of the student's
    and the teacher's :class:`famkd.layers.ChannelRelation` to the next deeper map (the
    deepest: to itself).

    Args:
        prompts: File of the prompts that were tuned on the teacher, a checkpoint of
            :class:`PromptTuning`. None: no masks, every place counts.
        low_band: Whether the low band is compared, too. Defaults to None (unless
            ``released``).
        relation: Whether to use position-aware weights. Defaults to None (unless
            ``released``).
        released: Whether the two are off where they are None, as in the authors'
            code. Defaults to False.
        loss_weight: :math:`\mu`. Defaults to 1.
        mse_weight: :math:`\nu`; 0 leaves the term out. Defaults to 0.
        levels: Levels that the prompts must have. Defaults to None (those of the
            prompts, or 3).
        **kwargs: Arguments of :class:`StageDistiller`, the stages first of all.

    Raises:
        FileNotFoundError: If there is no file of prompts.
        ValueError: If the file is no such file, or its prompts are for another number
            of maps, of channels or of levels; if ``levels`` is no whole number of at
            least 1; if two maps of a pair have other sizes; if two levels that are to
            be related have other numbers of channels; or if levels that have prompts
            or are to be related are not given from shallow to deep.

    Source: `FreeKD <https://arxiv.org/abs/2311.12079>`_ (CVPR 2024).
    """

    own_loss = True
    takes_connector = False  # its stages align the channels

    def __init__(
        self,
        prompts: str | None,
        low_band: bool | None = None,
        relation: bool | None = None,
        released: bool = False,
        loss_weight: float = 1.0,
        mse_weight: float = 0.0,
        levels: int | None = None,
        **kwargs,
    ) -> None:
        if levels is not None and (not isinstance(levels, int) or levels < 1):
            raise ValueError(f'levels={levels!r} must be a whole number of at least 1')
        super().__init__(**kwargs)
        self.low_band = not released if low_band is None else low_band
        self.relation = not released if relation is None else relation
        self.loss_weight = loss_weight
        self.mse = StageMSELoss(mse_weight) if mse_weight else None
        self.levels = levels or 3
        self.tuned_on = {}
        self._prompts = None
        if prompts is not None:
            self._prompts, self.tuned_on = read_prompts(prompts)
        self._file = prompts
        self._expected_levels = levels

    def check_teacher(self, note: dict) -> None:
        """Warns if the prompts were tuned on another teacher.

        Args:
            note: ``path`` and ``hash`` of the checkpoint of the teacher at hand.
        """
        if not same_teacher(self.tuned_on, note):
            print_log(
                f'prompts={self._file!r} were tuned on {tell_teacher(self.tuned_on)}, '
                f'but the teacher is {tell_teacher(note)}: the places that they ask '
                'for are those of another network',
                'current',
                logging.WARNING,
            )

    def build(self, students: list[Tensor], teachers: list[Tensor]) -> None:
        """Builds the alignments and the gates, and hands each stage its prompts."""
        channels = [teacher.shape[1] for teacher in teachers]
        prompts = self._prompts
        if prompts is None:
            prompts = [None] * len(channels)
        else:
            check_prompts(prompts, channels, self._file, self._expected_levels)
            self.levels = prompts[0].shape[0] - 1
        if self.relation or self._prompts is not None:  # which lie in that order
            check_order(self.student_stages, students)
            check_order(self.teacher_stages, teachers)
        if self.relation and len(set(channels)) > 1:
            raise ValueError(
                f'relation=True relates each map to the next deeper one, but those of '
                f'the teacher have {channels} channels; set relation=False'
            )
        for i, (student, teacher) in enumerate(zip(students, teachers, strict=True)):
            if student.shape[2:] != teacher.shape[2:]:
                raise ValueError(
                    f'{self.student_stages[i].name} gives a map of '
                    f'{tuple(student.shape[2:])}, {self.teacher_stages[i].name} one of '
                    f'{tuple(teacher.shape[2:])}; FreeKD compares maps of one size'
                )
            self.stages.append(
                FreeKDStage(student.shape[1], channels[i], prompts[i], self.relation)
            )

    def stage_losses(
        self, students: list[Tensor], teachers: list[Tensor], targets: Targets
    ) -> dict[str, Tensor]:
        """``loss_stage{i}``, ``loss_mse_stage{i}`` if weighted; 1 the shallowest."""
        pairs = zip(self.stages, students, strict=True)
        aligned = [stage.align(student) for stage, student in pairs]
        losses = {}
        for i, stage in enumerate(self.stages):
            a, t = aligned[i], teachers[i]
            masks = None if stage.prompt is None else frequency_masks(t, stage.prompt)
            distance = frequency_distance(a, t, masks, self.low_band, self.levels)
            if self.relation:
                deeper = min(i + 1, len(aligned) - 1)
                distance = distance * stage.weights(
                    a, aligned[deeper], t, teachers[deeper]
                )
            losses[f'loss_stage{i + 1}'] = self.loss_weight * distance.mean()
            if self.mse is not None:
                losses[f'loss_mse_stage{i + 1}'] = self.mse(a, t)
        return losses


class FreeKDStage(nn.Module):
    """The layers and prompts of one pair of maps.

    Args:
        in_channels: Channels of the student's map.
        out_channels: Channels of the teacher's.
        prompt: Frozen prompts (levels + 1, T, out_channels), or None. They come from
            their own file, so checkpoints do not hold them.
        relation: Whether there are position-aware weights.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        prompt: Tensor | None = None,
        relation: bool = False,
    ) -> None:
        super().__init__()
        self.align = nn.Conv2d(in_channels, out_channels, 1)
        self.register_buffer('prompt', prompt, persistent=False)
        if relation:
            self.student_relation = ChannelRelation(out_channels)
            self.teacher_relation = ChannelRelation(out_channels)

    def weights(
        self, student: Tensor, deeper_student: Tensor, teacher: Tensor, deeper: Tensor
    ) -> Tensor:
        """Position-aware weights of the channels, shape (N, C), mean 1."""
        product = self.student_relation(student, deeper_student)
        product = product * self.teacher_relation(teacher, deeper)
        return product / product.mean(1, keepdim=True)
