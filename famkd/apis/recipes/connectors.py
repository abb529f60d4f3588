"""The size of what is trained between the networks of a recipe."""

import os
from typing import TYPE_CHECKING

from famkd.names import type_name

if TYPE_CHECKING:
    from mmengine.model import BaseModel

LARGE = 100_000_000  # parameters between the networks: 1.2 GB in training


def connector_parameters(model: dict, networks: dict[str, 'BaseModel']) -> int:
    """Number of the parameters that a distiller trains between the networks.

    Nothing of that size is allocated.

    Args:
        model: Config of the distillation, with ``input_shape``.
        networks: 'student' and 'teacher' -> network.
    """
    import torch
    from mmrazor.registry import MODELS

    from famkd.models.probe import probe

    distiller = {**model['distiller'], '_scope_': 'mmrazor'}
    if 'prompts' in distiller:  # frozen, and their file may not be there yet
        distiller['prompts'] = None
    distiller = MODELS.build(distiller)
    maps = {}
    for role, network in networks.items():
        getattr(distiller, f'prepare_from_{role}')(network)
        recorders = getattr(distiller, f'{role}_recorders')
        with recorders:
            probe(network, model['input_shape'], network.extract_feat)
            stages = getattr(distiller, f'{role}_stages')
            maps[role] = [stage.read(recorders).to('meta') for stage in stages]
    with torch.device('meta'):
        distiller.build(maps['student'], maps['teacher'])
    return sum(parameter.numel() for parameter in distiller.parameters())


def choose_head(model: dict, networks: dict[str, 'BaseModel']) -> dict | None:
    """Prints the size of the connectors, and finds a smaller head where it is absurd.

    ``FAMHead`` has a filter for each position of a map and each pair of channels.

    Args:
        model: Config of the distillation, with ``input_shape``.
        networks: 'student' and 'teacher' -> network.

    Returns:
        dict | None: Config of ``DynamicFAMHead``, where the connectors would be more
        than four times the student, and large; else None.
    """
    count, smaller = connector_parameters(model, networks), None
    students = sum(x.numel() for x in networks['student'].parameters())
    head = model['distiller'].get('head') or {}
    if type_name(head) == 'FAMHead' and count > max(4 * students, LARGE):
        print(
            f'FAMHead would have {count / 1e6:.1f} M parameters, the student has '
            f'{students / 1e6:.1f} M: DynamicFAMHead is taken'
        )
        smaller = {**head, 'type': 'DynamicFAMHead'}
        distiller = {**model['distiller'], 'head': smaller}
        count = connector_parameters({**model, 'distiller': distiller}, networks)
    # Weights, gradients and momentum, float32.
    needed, there = 12 * count, available_memory()
    size = f'{count / 1e6:.1f} M parameters, {needed / 1e9:.2f} GB in training'
    if needed > there:
        raise ValueError(
            f'--method: its connectors would have {size}, and there are '
            f'{there / 1e9:.1f} GB here; give a smaller --input-size or another method'
        )
    if count:
        print(f'connectors: {size}')
    return smaller


def available_memory() -> int:
    """Bytes of the GPU that training would use, or of the machine."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_properties(0).total_memory
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
