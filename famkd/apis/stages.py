"""Find the stages of a network: the modules where the size of its maps changes."""

from dataclasses import dataclass, field

import torch

from famkd.models.distillers.tokens import tokens_to_map


@dataclass
class Stage:
    """A feature of a network.

    Attributes:
        source (str): The module that gives it.
        data_idx (int | None): Which of its outputs, where it gives several.
        channels (int): Channels of the feature.
        size (tuple[int, int]): Height and width; (1, 1) for a vector.
    """

    source: str
    data_idx: int | None
    channels: int
    size: tuple

    def __str__(self):
        index = '' if self.data_idx is None else f'[{self.data_idx}]'
        height, width = self.size
        return f'{self.source}{index} {self.channels}x{height}x{width}'

    @property
    def config(self):
        """What names it in ``student_stages`` and ``teacher_stages``."""
        if self.data_idx is None:
            return self.source
        return dict(source=self.source, data_idx=self.data_idx)


@dataclass
class Call:
    """One call of a module, with the calls inside it."""

    name: str
    in_size: tuple | None = None
    outputs: list = field(default_factory=list)  # (data_idx, tensor)
    inside: list = field(default_factory=list)


def find_stages(network, input_shape, max_size=64):
    """Find the stages of a network by one forward pass of its backbone and neck.

    A module that halves its map more than once is looked into; of what remains, the
    last module at each map size is a stage. So a residual stage is one module, and a
    backbone that is one long sequence is taken apart. Outputs that are vectors, such
    as pooled features, and tokens of square maps count, too.

    Args:
        network (torch.nn.Module): Network with ``extract_feat``, as the classifiers
            of mmpretrain and the detectors of mmdet have.
        input_shape (tuple[int, int, int]): Channels, height and width of an image.
        max_size (int): Larger maps are left out: frequency attention has a filter
            for every position. Defaults to 64.

    Returns:
        list[Stage]: The stages, shallow to deep, each with a map size of its own.
    """
    images = torch.zeros(1, *input_shape)
    calls = trace(network, images)
    names = [call.name for call in walk(calls)]
    stages = {}
    for call in main_path(calls):
        if names.count(call.name) > 1:
            continue  # several records of one module cannot be told apart
        for data_idx, tensor in call.outputs:
            channels, size = measure(tensor)
            if size and max(size) <= max_size and tensor is not images:
                stages[size] = Stage(call.name, data_idx, channels, size)
    return sorted(stages.values(), key=lambda stage: stage.size, reverse=True)


def trace(network, images):
    """Run backbone and neck, and note every call of a module.

    Args:
        network (torch.nn.Module): Network with ``extract_feat``.
        images (torch.Tensor): Batch of images.

    Returns:
        list[Call]: The outermost calls, in order.
    """
    top = Call('')
    stack, handles = [top], []

    def enter(name):
        def hook(module, inputs):
            tensors = [x for _, x in tensors_of(inputs)]
            stack.append(Call(name, measure(tensors[0])[1] if tensors else None))

        return hook

    def leave(module, inputs, output):
        call = stack.pop()
        call.outputs = tensors_of(output)
        stack[-1].inside.append(call)

    for name, module in network.named_modules():
        if name:
            handles.append(module.register_forward_pre_hook(enter(name)))
            handles.append(module.register_forward_hook(leave))
    training = network.training
    try:
        with torch.no_grad():
            network.eval().extract_feat(images)
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return top.inside


def main_path(calls):
    """The calls that a feature goes through, with those taken apart that span stages.

    Args:
        calls (list[Call]): Calls in order.

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


def spans_stages(call):
    """Whether the map shrinks to a quarter and less on the way through.

    A pyramid, which gives several maps, is left whole.
    """
    sizes = [size for _, x in call.outputs if (size := measure(x)[1])]
    if call.in_size is None or len(sizes) != 1:
        return False
    # Halved once, an odd map without padding comes out a little smaller than half.
    return any(3 * out < size for out, size in zip(sizes[0], call.in_size, strict=True))


def walk(calls):
    """All calls, also those inside others."""
    for call in calls:
        yield call
        yield from walk(call.inside)


def tensors_of(output):
    """The tensors that a module gives or takes, each with its index or None."""
    if isinstance(output, torch.Tensor):
        return [(None, output)]
    if not isinstance(output, (tuple, list)):
        return []
    if len(output) == 1:
        return tensors_of(output[0])
    return [(i, x) for i, x in enumerate(output) if isinstance(x, torch.Tensor)]


def measure(tensor):
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


def pair_stages(students, teachers):
    """Pair the stages of a student with those of a teacher.

    By map size, where every stage of the network that has fewer finds one of its
    size; otherwise by order, from the deepest.

    Args:
        students (list[Stage]): Stages of the student, shallow to deep.
        teachers (list[Stage]): Stages of the teacher.

    Returns:
        list[tuple[Stage, Stage]]: Pairs of student and teacher, shallow to deep.
    """
    by_size = {stage.size: stage for stage in teachers}
    pairs = [(s, by_size[s.size]) for s in students if s.size in by_size]
    count = min(len(students), len(teachers))
    if len(pairs) == count:
        return pairs
    return list(zip(students[-count:], teachers[-count:], strict=True))
