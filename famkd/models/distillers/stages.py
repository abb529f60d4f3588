"""The stages of a network: named by modules, recorded, and read as maps."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmrazor.models.task_modules import RecorderManager
from torch import Tensor, nn

from famkd.models.module_names import check_module_name

from .tokens import tokens_to_map

Source = str | dict
STAGE = re.compile(r'stage\d+')  # names of the recorders of stages
LOGITS = 'class_scores'  # name of the recorders of the head


@dataclass(frozen=True)
class Stage:
    """How one stage is recorded, and which part of the record is its map.

    Attributes:
        role: ``'student'`` or ``'teacher'``.
        recorder: Name of its recorder.
        source: The module that gives it.
        config: Config of the recorder.
        data_idx: Which element of the record, where the module gives several.
        record_idx: Which call of the module, where it is called several times.
        map_size: Height and width of the map that tokens are laid out to.
        channels_last: Whether the map is given as (N, H, W, C).
    """

    role: str
    recorder: str
    source: str
    config: dict
    data_idx: int | None = None
    record_idx: int = 0
    map_size: tuple[int, int] | None = None
    channels_last: bool = False

    @property
    def name(self) -> str:
        """The stage as the config names it."""
        return f'{self.role}_stages: {self.source!r}'

    def read(self, recorders: RecorderManager) -> Tensor:
        """The recorded feature as a map.

        Args:
            recorders: Recorders of the network, after its forward pass.

        Returns:
            Tensor: Shape (N, C, H, W); a vector (N, C) counts as a 1x1 map, and tokens
            (N, L, C) are laid out as a map, see :func:`tokens_to_map`.

        Raises:
            ValueError: If the record is no single feature; names the stage.
        """
        recorder = recorders.get_recorder(self.recorder)
        calls = len(recorder.data_buffer)
        if calls <= self.record_idx:
            raise ValueError(
                f'{self.name} was called {calls} times in a forward pass of the '
                f'{self.role}, so there is no record_idx={self.record_idx}; name a '
                'module that gives a map then, such as one of the backbone'
            )
        output = feature = recorder.get_record_data(self.record_idx)
        if self.data_idx is not None:
            if not isinstance(output, (tuple, list)) or self.data_idx >= len(output):
                raise ValueError(
                    f'{self.name} gives {_describe(output)}, so there is no '
                    f'data_idx={self.data_idx}; name as many levels of student and '
                    'teacher, of those that both have'
                )
            feature = output[self.data_idx]
        elif isinstance(output, (tuple, list)) and len(output) == 1:
            feature = output[0]
        if self.channels_last and isinstance(feature, Tensor) and feature.ndim == 4:
            feature = feature.movedim(-1, 1)
        if isinstance(feature, Tensor) and feature.ndim == 2:
            feature = feature[:, :, None, None]
        if isinstance(feature, Tensor) and feature.ndim == 3:
            try:
                feature = tokens_to_map(feature, self.map_size)
            except ValueError as error:
                raise ValueError(f'{self.name} {error}') from None
        if not isinstance(feature, Tensor) or feature.ndim != 4:
            raise ValueError(
                f'{self.name} gives {_describe(feature)}, not one feature '
                '(N, C, H, W), (N, C) or (N, L, C); where a module gives several, '
                'choose one with dict(type=..., source=..., data_idx=...)'
            )
        return feature

    def put(self, recorders: RecorderManager, feature: Tensor) -> None:
        """Has a recorder hold a map as if its module had given it.

        Args:
            recorders: Recorders of the network.
            feature: The map, as :meth:`read` gives it.
        """
        if self.channels_last:
            feature = feature.movedim(1, -1)
        record = feature
        if self.data_idx is not None:
            record = (None,) * self.data_idx + (feature,)
        buffer = recorders.get_recorder(self.recorder).data_buffer
        buffer[:] = [None] * self.record_idx + [record]


def parse_stages(
    stages: Sequence[Source] | None,
    student_stages: Sequence[Source] | None,
    teacher_stages: Sequence[Source] | None,
) -> tuple[list[Stage], list[Stage]]:
    """The stages that a config names, of both networks.

    Args:
        stages: Names of modules, or recorder configs of MMRazor with the optional keys
            ``data_idx``, ``record_idx``, ``map_size`` and ``channels_last``; shallow to
            deep.
        student_stages: Those of the student, where the names differ.
        teacher_stages: Those of the teacher, as many.

    Returns:
        tuple: Stages of the student and of the teacher, recorded as ``stage1``, ...

    Raises:
        ValueError: If there are none, not as many of both, or one names no module.
    """
    if stages and (student_stages or teacher_stages):
        raise ValueError(
            'stages are those of both networks: give stages, or student_stages and '
            'teacher_stages'
        )
    students = student_stages or stages or ()
    teachers = teacher_stages or stages or ()
    if len(students) != len(teachers) or not students:
        raise ValueError(
            f'student_stages has {len(students)} stages and teacher_stages '
            f'{len(teachers)}; give as many of both, at least one, in pairs'
        )
    return _parse(students, 'student'), _parse(teachers, 'teacher')


def _parse(sources: Sequence[Source], role: str) -> list[Stage]:
    if isinstance(sources, str):
        raise ValueError(
            f'{role}_stages={sources!r} is one name; give a list, [{sources!r}]'
        )
    stages = []
    for i, source in enumerate(sources, start=1):
        config = {'source': source} if isinstance(source, str) else dict(source)
        if 'source' not in config:
            raise ValueError(
                f'{role}_stages: {source} names no module; add it, '
                "dict(type=..., source='backbone.layer1')"
            )
        options = {
            key: config.pop(key)
            for key in ('data_idx', 'record_idx', 'map_size', 'channels_last')
            if key in config
        }
        recorder = {'type': 'ModuleOutputs', **config, '_scope_': 'mmrazor'}
        stages.append(Stage(role, f'stage{i}', config['source'], recorder, **options))
    return stages


def check_sources(recorders: RecorderManager, network: nn.Module, role: str) -> None:
    """Checks that a network has the modules that its recorders are on.

    Raises:
        ValueError: If it has not; says which names are near.
    """
    for name, recorder in recorders.recorders.items():
        if type(recorder).__name__.startswith('Module'):
            key = f'{role}_recorders.{name}'
            if name == LOGITS:
                key = 'logits (guided and logit_loss are for classifiers)'
            elif STAGE.fullmatch(name):
                key = f'{role}_stages'
            check_module_name(recorder.source, network, role, key)


def check_order(stages: Sequence[Stage], maps: Sequence[Tensor]) -> None:
    """Checks that stages are given from shallow to deep: their maps do not grow.

    Args:
        stages: The stages of a network.
        maps: Their maps.

    Raises:
        ValueError: If a map is larger than the one before; names both stages.
    """
    sizes = [tuple(feature.shape[2:]) for feature in maps]
    for i in range(1, len(stages)):
        if math.prod(sizes[i]) > math.prod(sizes[i - 1]):
            raise ValueError(
                f'{stages[i].name} gives a map of {sizes[i]}, {stages[i - 1].source!r} '
                f'before it one of {sizes[i - 1]}; name the stages from shallow (large '
                'maps) to deep'
            )


def check_channels(
    maps: list[Tensor], expected: Sequence[int] | None, role: str
) -> None:
    """Checks the channels that the config expects, if it does.

    Raises:
        ValueError: If the maps have others; names both.
    """
    channels = [feature.shape[1] for feature in maps]
    if expected is not None and list(expected) != channels:
        raise ValueError(
            f'{role}_channels={list(expected)}, but the recorded features have '
            f'{channels}; correct it or leave it out'
        )


def _describe(record: object) -> str:
    if isinstance(record, Tensor):
        return f'a tensor of shape {tuple(record.shape)}'
    if isinstance(record, (tuple, list)):
        return f'{len(record)} values'
    return f'a {type(record).__name__}'
