"""Knowledge review over stages: FAM-KD, ReviewKD and their relatives."""

from collections.abc import Sequence

from mmengine.model import ModuleList
from mmrazor.models.distillers import ConfigurableDistiller
from mmrazor.models.task_modules import RecorderManager
from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.models.connectors.review_fusion import resize_like
from famkd.models.module_names import check_module_name

from .tokens import tokens_to_map

Source = str | dict


@MODELS.register_module()
class ReviewDistiller(ConfigurableDistiller):
    r"""Compares stages of a student with stages of a teacher, deep to shallow.

    For every stage, from the deepest to the shallowest, with the student's
    feature :math:`f_i`, the teacher's :math:`g_i` and the review :math:`r`:

    .. math::
        r &\leftarrow \text{fusion}_i(f_i, r) \\
        r &\leftarrow \text{resize}(r, g_i) \\
        L_i &= \text{loss}(\text{head}_i(r), g_i)

    (nearest-neighbour resizing, where sizes differ; a fusion resizes the review
    to its feature). The fusion and the head say which method it is: FAM-KD
    (``CrossAttentionFusion``, ``FAMHead``), ReviewKD (``ABFusion``,
    ``ConvHead``), FAM+ReviewKD (``ABFusion``, ``FAMHead``), layer-to-layer
    FAM-KD (``LocalAttentionConnector``, ``FAMHead``). Channels and sizes are
    those of the features recorded in one probe forward, see
    :meth:`build_stages`.

    A stage is named by the module whose output it is, or by a recorder of
    MMRazor, ``dict(type='ModuleInputs', source='backbone.layer1.relu')``, with
    the optional keys ``data_idx`` (which element, where the module gives
    several) and ``record_idx`` (which call, where it is called several times).
    A vector (N, C), such as a pooled feature, counts as a 1x1 map. Tokens (N, L, C)
    of a transformer become the map of their patches, see :func:`tokens_to_map`;
    where it is not square, the key ``map_size`` gives its height and width.

    Args:
        student_stages: Stages of the student, shallow to deep.
        teacher_stages: Stages of the teacher, as many.
        fusion: Config of a :class:`ReviewFusion`; ``mid_channels`` may be a
            number for all stages or a list.
        head: Config of a head, built with ``in_channels``, ``out_channels``
            and ``size``.
        loss: Config of a loss between two features.
        student_channels: Channels that the student's stages are expected to
            have; not checked if None. Defaults to None.
        teacher_channels: The same for the teacher. Defaults to None.
        **kwargs: Further arguments of MMRazor's ``ConfigurableDistiller``
            (more recorders, connectors and losses, e.g. on the logits).

    Raises:
        ValueError: If the numbers of stages differ, a source is no module of
            the network, a record is no single feature, the channels are not
            the expected ones, or the fusion is unknown.
        RuntimeError: If the losses are asked for before the stages are built.

    Source: FAM-KD (WACV 2024), Figs. 2 and 3; ReviewKD (CVPR 2021), Fig. 2.
    """

    def __init__(
        self,
        student_stages: Sequence[Source],
        teacher_stages: Sequence[Source],
        fusion: dict,
        head: dict,
        loss: dict,
        student_channels: Sequence[int] | None = None,
        teacher_channels: Sequence[int] | None = None,
        student_recorders: dict | None = None,
        teacher_recorders: dict | None = None,
        **kwargs,
    ) -> None:
        if len(student_stages) != len(teacher_stages) or not student_stages:
            raise ValueError(
                f'student_stages has {len(student_stages)} stages and teacher_stages '
                f'{len(teacher_stages)}; give as many of both, at least one, in pairs'
            )
        student_taps, self.student_records = _split(student_stages, from_student=True)
        teacher_taps, self.teacher_records = _split(teacher_stages, from_student=False)
        super().__init__(
            student_recorders={**(student_recorders or {}), **student_taps},
            teacher_recorders={**(teacher_recorders or {}), **teacher_taps},
            **kwargs,
        )
        self.stage_records = [*self.student_records, *self.teacher_records]
        self.fusion = fusion
        self.head = head
        self.loss = _build(loss)
        self.student_channels = student_channels
        self.teacher_channels = teacher_channels
        self.stages = ModuleList()

    def prepare_from_student(self, model: nn.Module) -> None:
        """Attaches the recorders to the student."""
        _check_sources(self.student_recorders, model, 'student')
        super().prepare_from_student(model)

    def prepare_from_teacher(self, model: nn.Module) -> None:
        """Attaches the recorders to the teacher."""
        _check_sources(self.teacher_recorders, model, 'teacher')
        super().prepare_from_teacher(model)

    def build_stages(self) -> None:
        """Builds fusions and heads for the features that are recorded now.

        The algorithm calls it once, after one forward of both networks.
        """
        students = [self._feature(record) for record in self.student_records]
        teachers = [self._feature(record) for record in self.teacher_records]
        in_channels = _checked_channels(students, self.student_channels, 'student')
        out_channels = _checked_channels(teachers, self.teacher_channels, 'teacher')

        mid_channels = self._mid_channels(in_channels)
        review_channels = [*mid_channels[1:], None]

        for i, teacher in enumerate(teachers):
            fusion = _build(
                self.fusion,
                in_channels=in_channels[i],
                review_channels=review_channels[i],
                mid_channels=mid_channels[i],
            )
            head = _build(
                self.head,
                in_channels=mid_channels[i],
                out_channels=out_channels[i],
                size=tuple(teacher.shape[-2:]),
            )
            self.stages.append(nn.ModuleDict({'fusion': fusion, 'head': head}))

    def compute_distill_losses(self) -> dict[str, Tensor]:
        """One ``loss_stage{i}`` for every stage, 1 the shallowest."""
        if not self.stages:
            raise RuntimeError(
                'ReviewDistiller has no stages yet: use it in an algorithm that calls '
                "build_stages(), such as type='mmrazor.FeatureDistill'"
            )
        losses = super().compute_distill_losses()
        review = None
        for i in reversed(range(len(self.stages))):
            stage = self.stages[i]
            student = self._feature(self.student_records[i])
            teacher = self._feature(self.teacher_records[i])
            review = resize_like(stage['fusion'](student, review), teacher)
            losses[f'loss_stage{i + 1}'] = self.loss(stage['head'](review), teacher)
        return losses

    def loss_sources(self) -> dict[str, str]:
        """The modules that each loss of a stage compares, as the config names them."""
        pairs = zip(self.student_records, self.teacher_records, strict=True)
        return {
            f'loss_stage{i}': f'{self._name(student)}, {self._name(teacher)}'
            for i, (student, teacher) in enumerate(pairs, start=1)
        }

    def _mid_channels(self, in_channels: list[int]) -> list[int]:
        """Output channels of every fusion."""
        fusion_class = MODELS.get(self.fusion['type'])
        if not hasattr(fusion_class, 'default_mid_channels'):
            raise ValueError(
                f"fusion: type={self.fusion['type']!r} is no ReviewFusion in MMRazor's "
                'registry; use CrossAttentionFusion, ABFusion or a subclass of '
                'ReviewFusion (is its module in custom_imports?)'
            )
        mid_channels = self.fusion.get('mid_channels')
        if mid_channels is None:
            return fusion_class.default_mid_channels(in_channels)
        if isinstance(mid_channels, int):
            return [mid_channels] * len(in_channels)
        if len(mid_channels) != len(in_channels):
            raise ValueError(
                f'fusion: mid_channels={list(mid_channels)} are {len(mid_channels)} '
                f'numbers for {len(in_channels)} stages; give one for each stage, or '
                'one number for all'
            )
        return list(mid_channels)

    def _feature(self, record: dict) -> Tensor:
        """A recorded feature as a map (N, C, H, W)."""
        data_idx = record['data_idx']
        output = feature = self.get_record(
            record['recorder'], record['from_student'], record['record_idx']
        )
        if data_idx is not None:
            if not isinstance(output, (tuple, list)) or data_idx >= len(output):
                raise ValueError(
                    f'{self._name(record)} gives {_describe(output)}, so there is no '
                    f'data_idx={data_idx}; name as many levels of student and teacher, '
                    'of those that both have'
                )
            feature = output[data_idx]
        elif isinstance(output, (tuple, list)) and len(output) == 1:
            feature = output[0]
        if isinstance(feature, Tensor) and feature.ndim == 2:
            feature = feature[:, :, None, None]
        if isinstance(feature, Tensor) and feature.ndim == 3:
            try:
                feature = tokens_to_map(feature, record['map_size'])
            except ValueError as error:
                raise ValueError(f'{self._name(record)} {error}') from None
        if not isinstance(feature, Tensor) or feature.ndim != 4:
            raise ValueError(
                f'{self._name(record)} gives {_describe(feature)}, not one feature '
                '(N, C, H, W), (N, C) or (N, L, C); where a module gives several, '
                'choose one with dict(type=..., source=..., data_idx=...)'
            )
        return feature

    def _name(self, record: dict) -> str:
        """How the config names a record."""
        role = 'student' if record['from_student'] else 'teacher'
        recorders = getattr(self, f'{role}_recorders')
        source = recorders.get_recorder(record['recorder']).source
        return f'{role}_stages: {source!r}'


def _build(config: dict, **numbers) -> nn.Module:
    """Builds a module whose name is MMRazor's, whatever the config's scope is."""
    return MODELS.build({**config, **numbers, '_scope_': 'mmrazor'})


def _split(stages: Sequence[Source], from_student: bool) -> tuple[dict, list[dict]]:
    """Recorder configs, and how to read each stage from them."""
    recorders, records = {}, []
    for i, stage in enumerate(stages):
        config = {'source': stage} if isinstance(stage, str) else dict(stage)
        name = f'stage{i + 1}'
        records.append(
            {
                'recorder': name,
                'from_student': from_student,
                'record_idx': config.pop('record_idx', 0),
                'data_idx': config.pop('data_idx', None),
                'map_size': config.pop('map_size', None),
            }
        )
        recorders[name] = {'type': 'ModuleOutputs', **config, '_scope_': 'mmrazor'}
    return recorders, records


def _check_sources(recorders: RecorderManager, model: nn.Module, role: str) -> None:
    for recorder in recorders.recorders.values():
        if type(recorder).__name__.startswith('Module'):
            check_module_name(recorder.source, model, role, key=f'{role}_stages')


def _checked_channels(
    features: list[Tensor], expected: Sequence[int] | None, role: str
) -> list[int]:
    channels = [feature.shape[1] for feature in features]
    if expected is not None and list(expected) != channels:
        raise ValueError(
            f'{role}_channels={list(expected)}, but the recorded features have '
            f'{channels}; correct it or leave it out'
        )
    return channels


def _describe(record: object) -> str:
    if isinstance(record, Tensor):
        return f'a tensor of shape {tuple(record.shape)}'
    if isinstance(record, (tuple, list)):
        return f'{len(record)} values'
    return f'a {type(record).__name__}'
