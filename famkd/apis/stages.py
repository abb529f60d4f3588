"""Find the stages of a network: the modules where the size of its maps changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import log

from torch import Tensor, nn

from famkd.models.distillers.tokens import tokens_to_map
from famkd.models.probe import probe

Size = tuple[int, int]


@dataclass
class Stage:
    """A feature of a network.

    Attributes:
        source: The module that gives it.
        data_idx: Which of its outputs, where it gives several.
        channels: Channels of the feature.
        size: Height and width; (1, 1) for a vector.
    """

    source: str
    data_idx: int | None
    channels: int
    size: Size

    def __str__(self) -> str:
        index = '' if self.data_idx is None else f'[{self.data_idx}]'
        height, width = self.size
        return f'{self.source}{index} {self.channels}x{height}x{width}'

    @property
    def config(self) -> str | dict:
        """Its name in ``student_stages`` and ``teacher_stages``."""
        if self.data_idx is None:
            return self.source
        return dict(source=self.source, data_idx=self.data_idx)


@dataclass
class Call:
    """One call of a module, with the calls inside it."""

    name: str
    in_size: Size | None = None
    outputs: list[tuple[int | None, Tensor]] = field(default_factory=list)
    inside: list['Call'] = field(default_factory=list)


def find_stages(network: nn.Module, input_shape: tuple[int, int, int]) -> list[Stage]:
    """Find the stages of a network by one forward pass of its backbone and neck.

    A module that halves its map more than once is looked into; of what remains, the
    last module at each map size is a stage. So a residual stage is one module, and a
    backbone that is one long sequence is taken apart. Where that module gives several
    maps of the size, as a dilated backbone does, each is a stage. Outputs that are
    vectors, such as pooled features, and tokens of square maps count, too. Maps larger
    than 64, or than a quarter of the image where that is more, are left out: frequency
    attention has a filter for every position.

    Args:
        network: Network with ``extract_feat``, as the classifiers of mmpretrain, the
            detectors of mmdet and the segmentors of mmseg have.
        input_shape: Channels, height and width of an image.

    Returns:
        list[Stage]: The stages, shallow to deep.
    """
    max_size = max(64, *(side // 4 for side in input_shape[1:]))
    calls = trace(network, input_shape)
    names = [call.name for call in walk(calls)]
    stages: dict[Size, list[Stage]] = {}
    for call in main_path(calls):
        if names.count(call.name) > 1:
            continue  # several records of one module cannot be told apart
        found = {}
        for data_idx, tensor in call.outputs:
            channels, size = measure(tensor)
            if size and max(size) <= max_size:
                stage = Stage(call.name, data_idx, channels, size)
                found.setdefault(size, []).append(stage)
        stages.update(found)
    return [stage for size in sorted(stages, reverse=True) for stage in stages[size]]


def trace(network: nn.Module, input_shape: tuple[int, int, int]) -> list[Call]:
    """Runs backbone and neck once, and notes every call of a module.

    Args:
        network: Network with ``extract_feat``.
        input_shape: Channels, height and width of an image.

    Returns:
        list[Call]: The outermost calls, in order. Modules that pass on the image
        itself have no outputs.
    """
    top = Call('')
    stack, handles, images = [top], [], []

    def enter(name: str) -> Callable:
        def hook(module: nn.Module, inputs: tuple) -> None:
            tensors = [x for _, x in tensors_of(inputs)]
            stack.append(Call(name, measure(tensors[0])[1] if tensors else None))

        return hook

    def leave(module: nn.Module, inputs: tuple, output: object) -> None:
        call = stack.pop()
        call.outputs = [(i, x) for i, x in tensors_of(output) if x is not images[0]]
        stack[-1].inside.append(call)

    for name, module in network.named_modules():
        if name:
            handles.append(module.register_forward_pre_hook(enter(name)))
            handles.append(module.register_forward_hook(leave))

    def forward(image: Tensor) -> None:
        images.append(image)
        network.extract_feat(image)

    try:
        probe(network, input_shape, forward)
    finally:
        for handle in handles:
            handle.remove()
    return top.inside


def main_path(calls: list[Call]) -> list[Call]:
    """The calls that a feature goes through, with those taken apart that span stages.

    Args:
        calls: Calls in order.

    Returns:
        list[Call]: Calls in the order of their ends.
    """
    path = []
    for call in calls:
        inside = main_path(call.inside) if spans_stages(call) else []
        known = {id(tensor) for inner in inside for _, tensor in inner.outputs}
        # A module that passes on what one inside it gave is not named.
        passes_on = call.outputs and all(id(x) in known for _, x in call.outputs)
        path += inside if passes_on else [*inside, call]
    return path


def spans_stages(call: Call) -> bool:
    """Whether the map shrinks to a quarter and less on the way through.

    A pyramid, which gives several maps, is left whole.
    """
    sizes = [size for _, x in call.outputs if (size := measure(x)[1])]
    if call.in_size is None or len(sizes) != 1:
        return False
    # Halved once, an odd map without padding comes out a little smaller than half.
    return any(3 * out < size for out, size in zip(sizes[0], call.in_size, strict=True))


def walk(calls: list[Call]) -> Iterator[Call]:
    """All calls, also those inside others."""
    for call in calls:
        yield call
        yield from walk(call.inside)


def tensors_of(output: object) -> list[tuple[int | None, Tensor]]:
    """The tensors that a module gives or takes, each with its index or None."""
    if isinstance(output, Tensor):
        return [(None, output)]
    if not isinstance(output, (tuple, list)):
        return []
    if len(output) == 1:
        return tensors_of(output[0])
    return [(i, x) for i, x in enumerate(output) if isinstance(x, Tensor)]


def measure(tensor: Tensor) -> tuple[int | None, Size | None]:
    """Channels and map size of a feature; (None, None) where it is none."""
    if tensor.ndim == 2:
        return tensor.shape[1], (1, 1)
    if tensor.ndim == 3:
        try:
            tensor = tokens_to_map(tensor)
        except ValueError:
            return None, None
    if tensor.ndim != 4:
        return None, None
    return tensor.shape[1], tuple(tensor.shape[-2:])


def pair_stages(
    students: list[Stage], teachers: list[Stage]
) -> list[tuple[Stage, Stage]]:
    r"""Pairs the stages of a student with those of a teacher.

    Every stage of the network that has fewer gets a stage of the other, in their order,
    so that the sizes of the maps differ as little as possible: the sum of
    :math:`|\log(h / h')| + |\log(w / w')|` over the pairs is least.

    Args:
        students: Stages of the student, shallow to deep.
        teachers: Stages of the teacher.

    Returns:
        list[tuple[Stage, Stage]]: Pairs of student and teacher, shallow to deep.
    """

    def pairs(chosen: tuple[Stage, ...]) -> list[tuple[Stage, Stage]]:
        if len(students) > len(teachers):
            return list(zip(chosen, teachers, strict=True))
        return list(zip(students, chosen, strict=True))

    def difference(chosen: tuple[Stage, ...]) -> float:
        return sum(
            abs(log(ours / theirs))
            for student, teacher in pairs(chosen)
            for ours, theirs in zip(student.size, teacher.size, strict=True)
        )

    fewer, more = sorted((students, teachers), key=len)
    return pairs(min(combinations(more, len(fewer)), key=difference))
