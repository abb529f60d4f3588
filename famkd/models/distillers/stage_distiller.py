"""Distillation stage by stage: the base of every method on features."""

from collections.abc import Iterable, Sequence

import torch
from mmengine.model import ModuleList
from mmengine.structures import BaseDataElement
from mmrazor.models.distillers import ConfigurableDistiller
from mmrazor.registry import MODELS
from torch import Tensor, nn

from .records import needed_records
from .stages import LOGITS, Source, check_channels, parse_stages
from .targets import Targets, asked_by, read_logits


@MODELS.register_module()
class StageDistiller(ConfigurableDistiller):
    r"""Compares stages of a student with stages of a teacher, each pair by itself.

    .. math:: L_i = \text{loss}(\text{connector}_i(f_i), g_i)

    with the student's feature :math:`f_i` and the teacher's :math:`g_i` at stage i. A
    method that needs all pairs at once is a subclass with its own :meth:`build` and
    :meth:`stage_losses`.

    A stage is named by the module whose output it is, or by a recorder of MMRazor,
    ``dict(type='ModuleInputs', source='backbone.layer1.relu')``, with the optional
    keys ``data_idx`` (which element, where the module gives several), ``record_idx``
    (which call, where it is called several times), ``map_size`` (height and width of
    the map of a transformer's tokens, where it is not square) and ``channels_last``
    (True for maps (N, H, W, C), as the blocks of SAM's encoder give them). Vectors
    (N, C) count as 1x1 maps.

    A loss gets the two features, and beyond them those of the following arguments that
    its ``forward`` names: ``gt_labels`` (N,), ``data_samples``, ``teacher_logits``
    (N, K), and, if ``guided``, ``correct`` (N,), the samples that the teacher
    classifies right.

    Args:
        stages: Stages of both networks, shallow to deep, where they have the same
            names. Defaults to None.
        student_stages: Stages of the student, instead. Defaults to None.
        teacher_stages: Stages of the teacher, as many. Defaults to None.
        loss: Config of a loss between two features. Defaults to None, for a subclass
            that computes its own and says so by ``own_loss = True``: an error there.
        connector: Config of a module between the student's feature and the loss,
            built for each stage with ``in_channels``, ``out_channels`` and ``size``
            (height and width of the teacher's map); an error where a subclass says by
            ``takes_connector = False`` that it has its own. Defaults to None.
        guided: Whether only those samples count that the teacher classifies right.
            Defaults to False.
        logit_loss: Config of a loss between the class scores beside those of the
            stages, such as ``dict(type='KLDivergence', tau=4)``; called with
            ``(preds_S, preds_T)`` and, if it names them, ``gt_labels``. Defaults to
            None.
        logits: The module whose output are the class scores. Defaults to ``'head'``.
        student_channels: Channels that the student's stages are expected to have; not
            checked if None. Defaults to None.
        teacher_channels: The same for the teacher. Defaults to None.
        student_recorders: Further recorders of the student. Defaults to None.
        teacher_recorders: Further recorders of the teacher. Defaults to None.
        **kwargs: Further arguments of MMRazor's ``ConfigurableDistiller``.

    Raises:
        ValueError: If there is no loss, the numbers of stages differ, a source is no
            module of the network, a record is no single feature, the channels are not
            the expected ones, or there are no class scores where they are asked for.
        RuntimeError: If the losses are asked for before the stages are built.
    """

    own_loss = False
    takes_connector = True

    def __init__(
        self,
        stages: Sequence[Source] | None = None,
        student_stages: Sequence[Source] | None = None,
        teacher_stages: Sequence[Source] | None = None,
        loss: dict | None = None,
        connector: dict | None = None,
        guided: bool = False,
        logit_loss: dict | None = None,
        logits: str = 'head',
        student_channels: Sequence[int] | None = None,
        teacher_channels: Sequence[int] | None = None,
        student_recorders: dict | None = None,
        teacher_recorders: dict | None = None,
        **kwargs,
    ) -> None:
        self.student_stages, self.teacher_stages = parse_stages(
            stages, student_stages, teacher_stages
        )
        if loss is None and not self.own_loss:
            raise ValueError(
                f'loss=None of {type(self).__name__}: name what compares the features '
                "of a stage, such as distiller.loss=dict(type='StageMSELoss')"
            )
        for name, given, is_used in (
            ('loss', loss, not self.own_loss),
            ('connector', connector, self.takes_connector),
        ):
            if given is not None and not is_used:
                raise ValueError(
                    f'{name}={given!r}: {type(self).__name__} has its own; leave '
                    f'distiller.{name} out'
                )
        loss = build_part(loss) if loss else None
        logit_loss = build_part(logit_loss) if logit_loss else None
        asked = asked_by(loss) if loss is not None else {}
        if guided and 'correct' not in asked:
            chooser = type(self if loss is None else loss).__name__
            raise ValueError(
                f'guided=True: {chooser} has no samples to choose from (no argument '
                "'correct'); use a loss that compares sample by sample, such as "
                'DCTAttentionLoss, or leave guided out'
            )
        self.asked = [
            name
            for name, needed in asked.items()
            if name != 'correct' or guided or needed
        ]
        of_student = {stage.recorder: stage.config for stage in self.student_stages}
        of_teacher = {stage.recorder: stage.config for stage in self.teacher_stages}
        scores = dict(type='ModuleOutputs', source=logits, _scope_='mmrazor')
        if logit_loss is not None:
            of_student[LOGITS] = of_teacher[LOGITS] = scores
        if {'teacher_logits', 'correct'} & set(self.asked):
            of_teacher[LOGITS] = scores
        super().__init__(
            student_recorders={**(student_recorders or {}), **of_student},
            teacher_recorders={**(teacher_recorders or {}), **of_teacher},
            **kwargs,
        )
        self.loss = loss
        self.connector = connector
        self.logit_loss = logit_loss
        self.expected_channels = student_channels, teacher_channels
        self.stages = ModuleList()
        self.is_built = False

    def needed_records(
        self, from_student: bool, for_stages: bool = False
    ) -> dict[str, int]:
        """How often each recorder of a network has to record before a forward can end.

        Args:
            from_student: Whether the student's recorders are meant.
            for_stages: Whether only those count that :meth:`build_stages` reads.
                Defaults to False.

        Returns:
            dict: Name of a recorder -> number of its records.
        """
        counts = {} if for_stages else needed_records(self, from_student)
        for stage in self.student_stages if from_student else self.teacher_stages:
            needed = stage.record_idx + 1
            counts[stage.recorder] = max(counts.get(stage.recorder, 0), needed)
        recorders = self.student_recorders if from_student else self.teacher_recorders
        if LOGITS in recorders.recorders:
            counts.setdefault(LOGITS, 1)
        return counts

    def build_stages(self) -> None:
        """Fits the distiller to the features that are recorded now.

        The algorithm calls it once, after one forward of both networks.
        """
        students, teachers = self._maps()
        check_channels(students, self.expected_channels[0], 'student')
        check_channels(teachers, self.expected_channels[1], 'teacher')
        self._targets()  # checks the class scores
        self.build(students, teachers)
        self.is_built = True

    def build(self, students: list[Tensor], teachers: list[Tensor]) -> None:
        """Builds what is trained between the networks, into ``self.stages``.

        Args:
            students: The student's maps (1, C, H, W), shallow to deep.
            teachers: The teacher's, as many.
        """
        if self.connector is not None:
            for student, teacher in zip(students, teachers, strict=True):
                connector = build_part(
                    self.connector,
                    in_channels=student.shape[1],
                    out_channels=teacher.shape[1],
                    size=tuple(teacher.shape[-2:]),
                )
                self.stages.append(nn.ModuleDict({'connector': connector}))
        if self.loss is not None:
            self.check_shapes([self.loss] * len(students), students, teachers)

    def stage_losses(
        self, students: list[Tensor], teachers: list[Tensor], targets: Targets
    ) -> dict[str, Tensor]:
        """The loss of every pair, ``loss_stage{i}``, 1 the shallowest.

        Args:
            students: The student's maps (N, C, H, W), shallow to deep.
            teachers: The teacher's, as many.
            targets: Ground truth and class scores of the batch.
        """
        pairs = enumerate(zip(self.connect(students), teachers, strict=True), start=1)
        return {f'loss_stage{i}': self.compare(*pair, targets) for i, pair in pairs}

    def connect(self, students: list[Tensor]) -> list[Tensor]:
        """The student's maps after their connectors, if there are any."""
        if self.connector is None:
            return students
        pairs = zip(self.stages, students, strict=True)
        return [stage['connector'](student) for stage, student in pairs]

    def compare(self, student: Tensor, teacher: Tensor, targets: Targets) -> Tensor:
        """The loss of one pair, with what it asks for beyond the features."""
        asked = {name: getattr(targets, name) for name in self.asked}
        return self.loss(student, teacher, **asked)

    def compute_distill_losses(
        self, data_samples: list[BaseDataElement] | None = None
    ) -> dict[str, Tensor]:
        """All losses of the distiller, from what the recorders hold.

        Args:
            data_samples: Ground truth of the batch. Defaults to None.

        Returns:
            dict: Those of MMRazor's ``loss_forward_mappings``, those of the stages,
            and ``loss_logits`` if there is a ``logit_loss``.
        """
        if not self.is_built:
            raise RuntimeError(
                f'{type(self).__name__} has no stages yet: use it in an algorithm that '
                "calls build_stages(), such as type='mmrazor.FeatureDistill'"
            )
        losses = super().compute_distill_losses()
        targets = self._targets(data_samples)
        losses.update(self.stage_losses(*self._maps(), targets))
        if self.logit_loss is not None:
            scores = dict(
                preds_S=targets.student_logits, preds_T=targets.teacher_logits
            )
            if 'gt_labels' in asked_by(self.logit_loss):
                scores['gt_labels'] = targets.gt_labels
            losses['loss_logits'] = self.logit_loss(**scores)
        return losses

    def loss_sources(self) -> dict[str, str]:
        """The modules that each loss of a stage compares, as the config names them."""
        pairs = zip(self.student_stages, self.teacher_stages, strict=True)
        return {
            f'loss_stage{i}': f'{student.name}, {teacher.name}'
            for i, (student, teacher) in enumerate(pairs, start=1)
        }

    def teacher_features(self) -> dict[str, Tensor]:
        """What a step needs of the teacher: its maps, and its class scores if any.

        Returns:
            dict: Name of the recorder -> map (N, C, H, W) or scores (N, K).

        Raises:
            ValueError: If there are other recorders of the teacher, too.
        """
        recorders = self.teacher_recorders
        features = {
            stage.recorder: stage.read(recorders) for stage in self.teacher_stages
        }
        if LOGITS in recorders.recorders:
            features[LOGITS] = read_logits(recorders.get_recorder(LOGITS), 'teacher')
        others = recorders.recorders.keys() - features.keys()
        if others:
            raise ValueError(
                f'feature_cache: teacher_recorders has {", ".join(sorted(others))}, '
                'of which no features are kept; it holds those of stages and the class '
                'scores'
            )
        return features

    def put_teacher_features(self, features: dict[str, Tensor]) -> None:
        """Has the teacher's recorders hold features, as :meth:`teacher_features`."""
        for stage in self.teacher_stages:
            stage.put(self.teacher_recorders, features[stage.recorder])
        if LOGITS in features:
            buffer = self.teacher_recorders.get_recorder(LOGITS).data_buffer
            buffer[:] = [features[LOGITS]]

    @torch.no_grad()
    def check_shapes(
        self,
        losses: Iterable[nn.Module],
        students: list[Tensor],
        teachers: list[Tensor],
    ) -> None:
        """Asks losses that refuse some features before the first batch.

        Args:
            losses: The loss of every stage. Those with a method ``check_shapes`` are
                asked.
            students: The student's maps, before their connectors.
            teachers: The teacher's, as many.

        Raises:
            ValueError: If a loss refuses a pair; names its modules.
        """
        self.stages.eval()  # BN of connectors shall not learn from the probe.
        pairs = zip(
            self.loss_sources().values(),
            losses,
            self.connect(students),
            teachers,
            strict=True,
        )
        for sources, loss, student, teacher in pairs:
            try:
                if hasattr(loss, 'check_shapes'):
                    loss.check_shapes(student, teacher)
            except ValueError as error:
                raise ValueError(f'{sources}: {error}') from None
        self.stages.train()

    def _maps(self) -> tuple[list[Tensor], list[Tensor]]:
        """The recorded maps of student and teacher."""
        return (
            [stage.read(self.student_recorders) for stage in self.student_stages],
            [stage.read(self.teacher_recorders) for stage in self.teacher_stages],
        )

    def _targets(self, data_samples: list[BaseDataElement] | None = None) -> Targets:
        """Ground truth of a batch, and the class scores that are recorded."""
        managers = dict(student=self.student_recorders, teacher=self.teacher_recorders)
        logits = {
            f'{role}_logits': read_logits(manager.get_recorder(LOGITS), role)
            for role, manager in managers.items()
            if LOGITS in manager.recorders
        }
        if len({scores.shape for scores in logits.values()}) > 1:
            ours, theirs = (scores.shape[1] for scores in logits.values())
            raise ValueError(
                f'logit_loss compares class scores, but the student has {ours} classes '
                f'and the teacher {theirs}; give both heads the same num_classes, or '
                'leave it out'
            )
        return Targets(data_samples, **logits)


def build_part(config: dict, **numbers: object) -> nn.Module:
    """Builds a module whose name is MMRazor's, whatever the config's scope is.

    Args:
        config: Its config.
        **numbers: Further arguments, such as channels.
    """
    return MODELS.build({**config, **numbers, '_scope_': 'mmrazor'})
