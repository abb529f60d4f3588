"""What a distiller compares: stages, outputs of necks, class scores."""

from typing import TYPE_CHECKING

from famkd.apis.stages import find_stages, pair_stages

if TYPE_CHECKING:
    from mmengine.model import BaseModel


def stage_names(
    networks: dict[str, 'BaseModel'], shape: tuple[int, int, int], pooled: bool = True
) -> dict[str, list]:
    """Finds the stages of both networks, pairs them, and prints the pairs.

    Args:
        networks: 'student' and 'teacher' -> network.
        shape: Shape of an image.
        pooled: Whether maps of 1x1 and vectors count, too. Defaults to True.

    Returns:
        dict: ``student_stages`` and ``teacher_stages`` of the distiller.
    """
    found = {role: find_stages(network, shape) for role, network in networks.items()}
    for role, stages in found.items():
        if not pooled:
            stages[:] = [stage for stage in stages if stage.size != (1, 1)]
        if not stages:
            raise ValueError(
                f'--{role}: no module of it gives a map for an image of {shape}'
            )
    pairs = pair_stages(found['student'], found['teacher'])
    print(f'{"student":45} teacher')
    for student, teacher in pairs:
        print(f'{student!s:45} {teacher}')
    return dict(
        student_stages=[student.config for student, _ in pairs],
        teacher_stages=[teacher.config for _, teacher in pairs],
    )


def neck_outputs(
    networks: dict[str, 'BaseModel'], shape: tuple[int, int, int]
) -> dict[str, list]:
    """The outputs of the necks that both networks have, as :func:`stage_names`."""
    from famkd.models.probe import probe

    counts = {}
    for role, network in networks.items():
        outputs = []
        probe(
            network, shape, lambda x, n=network, y=outputs: y.extend(n.extract_feat(x))
        )
        if not getattr(network, 'with_neck', False) or len(outputs) < 2:
            raise ValueError(
                f'--{role}: it has no neck with several outputs, which the methods '
                'for an FPN take; choose another method'
            )
        counts[role] = len(outputs)
    levels = [dict(source='neck', data_idx=i) for i in range(min(counts.values()))]
    return dict(student_stages=levels, teacher_stages=levels)


def logits_module(role: str, network: 'BaseModel', source: str) -> str:
    """Name of the module that gives the class scores.

    Args:
        role: 'teacher' or 'student'.
        network: The network.
        source: What the method names: the last layer of a segmentor's ``decode_head``,
            or that of a classifier's ``head``, of which the last linear layer is meant.

    Raises:
        ValueError: If the network is of another task, or has no such layer.
    """
    from torch import nn

    is_segmentor = hasattr(network, 'decode_head')
    if source.startswith('decode_head'):
        if not is_segmentor:
            raise ValueError(
                f'--{role}: it is no segmentor (no decode_head), and the method '
                'compares the class scores of pixels; choose kd'
            )
        if source not in dict(network.named_modules()):
            raise ValueError(
                f'--{role}: it has no layer {source!r}, whose class scores the method '
                'compares; choose a method of features, such as famkd, or write the '
                f'recipe by hand, with its layer in distiller.{role}_recorders'
            )
        return source
    head = getattr(network, 'head', None) or nn.Identity()
    layers = [n for n, m in head.named_modules() if isinstance(m, nn.Linear)]
    if not layers:
        raise ValueError(
            f'--{role}: its head has no linear layer to take the logits from'
            + ('; for segmentors choose kd_pixels or cwd' if is_segmentor else '')
        )
    return f'head.{layers[-1]}'
