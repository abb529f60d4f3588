"""The parts of a recipe that distils one network into another.

What is asked for and cannot be had is a ValueError that begins with the option of
``tools/new_recipe.py``.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.stages import find_stages, pair_stages
from famkd.names import near_names, type_name

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.model import BaseModel

CONFIGS = Path(__file__).parents[1] / '.mim/configs'
BASES = CONFIGS / '_base_'
# Bases that are no method by themselves: of the teacher alone, of its heads.
PARTS = {'freekd_prompts', 'freekd_regression'}
# Package of the networks -> endings of the bases that adapt a method to its task.
FORMS = {'mmdet': ['_fpn'], 'mmseg': ['_maps', '_pixels']}
# The lengths of training that the warm-ups of the methods are meant for.
EPOCHS, ITERATIONS = 240, 180_000
LARGE = 100_000_000  # parameters between the networks: 1.2 GB in training


def method_names() -> list[str]:
    """The methods, and each of their forms for a task."""
    bases = {path.stem for path in (BASES / 'methods').glob('*.py')} - PARTS
    endings = [ending for endings in FORMS.values() for ending in endings]
    return sorted(
        bases | {base.removesuffix(ending) for base in bases for ending in endings}
    )


def method_form(method: str, package: str | None) -> str:
    """The base of a method for the task of the networks.

    ``famkd`` is ``famkd_fpn`` for detectors and ``famkd_maps`` for segmentors; a method
    without a form of its own for the task, or a form by its name, stays as it is.

    Args:
        method: One of :func:`method_names`.
        package: ``default_scope`` of the student's config.

    Raises:
        ValueError: If the method has forms for other tasks only.
    """
    for name in [*(method + ending for ending in FORMS.get(package, [])), method]:
        if (BASES / f'methods/{name}.py').is_file():
            return name
    forms = sorted(path.stem for path in (BASES / 'methods').glob(f'{method}_*.py'))
    raise ValueError(
        f'--method: {method!r} has no form for networks of {package}; there is '
        f'{" and ".join(forms)}'
    )


def published_name(dataset: str, student: 'Config') -> str:
    """The name of a dataset in the published recipes.

    Args:
        dataset: The same, or without the size of the crops, as in ``cityscapes``.
        student: Config of the student, whose crops are then meant.

    Raises:
        ValueError: If there are no recipes for it.
    """
    crops = (student.model.get('data_preprocessor') or {}).get('size') or ()
    for name in (dataset, f'{dataset}-{"x".join(map(str, crops))}'):
        if (BASES / f'pairs/{name}.py').is_file():
            return name
    known = sorted(path.stem for path in (BASES / 'pairs').glob('*.py'))
    raise ValueError(
        f'--dataset: there are no recipes for {dataset!r}; choose one of '
        f'{", ".join(known)}, or leave it out'
    )


def load_network(role: str, path: str) -> tuple['Config', 'BaseModel']:
    """Builds a network from its config.

    Args:
        role: 'teacher' or 'student'.
        path: The config: a file, or PACKAGE::FILE.
    """
    from famkd.models.algorithms.networks import build_network, read_config

    try:
        cfg = read_config(path)
    except (FileNotFoundError, ImportError, ValueError) as error:
        known = {p.stem: p for p in (CONFIGS / 'vanilla').rglob('*.py')}
        near = near_names(Path(path).stem, known, cutoff=0.3)
        near = [f'famkd::{known[name].relative_to(CONFIGS)}' for name in near]
        hint = f'; near names: {", ".join(near)}' if near else ''
        raise ValueError(
            f'--{role}: there is no config {path!r} ({error}){hint}'
        ) from None
    if 'backbone' not in cfg.get('model', {}):
        raise ValueError(
            f'--{role}: {path!r} is not the config of a network (no backbone)'
        )
    return cfg, build_network(dict(cfg_path=path))


def image_size(cfg: 'Config') -> tuple[int, int]:
    """Height and width of the images that a config trains with.

    The size of its data preprocessor (segmentors), what its training pipeline makes of
    an empty image, or, where that fails, its crop.

    Args:
        cfg: Config with a ``train_dataloader``.
    """
    import numpy as np
    from mmcv.transforms import Compose
    from mmengine.registry import DefaultScope

    preprocessor = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor')
    if (preprocessor or {}).get('size'):
        return tuple(preprocessor.size)
    crops = []
    image = np.zeros((512, 512, 3), dtype=np.uint8)
    item = dict(img=image, img_shape=(512, 512), ori_shape=(512, 512), gt_label=0)
    try:
        dataset = cfg.train_dataloader.dataset
        while 'pipeline' not in dataset:
            dataset = dataset.dataset
        crops = [s.crop_size for s in dataset.pipeline if s.get('crop_size')]
        steps = [s for s in dataset.pipeline if not type_name(s).startswith('Load')]
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
            return tuple(Compose(steps)(item)['inputs'].shape[-2:])
    except Exception as error:  # of whatever step
        if crops:
            return (
                tuple(crops[-1]) if isinstance(crops[-1], tuple) else (crops[-1],) * 2
            )
        raise ValueError(
            '--input-size: give it, since the training pipeline does not tell '
            f'({type(error).__name__}: {error})'
        ) from None


def teacher_checkpoint(path: str, cfg: 'Config') -> str:
    """The published checkpoint of a config, or where training it leaves one.

    Args:
        path: The teacher's config.
        cfg: The same, read.

    Returns:
        str: Path or URL.
    """
    from mmengine.hub import get_config

    if '::' in path:
        try:
            return get_config(path, pretrained=True).model_path
        except (AssertionError, AttributeError, FileNotFoundError):
            pass  # its package publishes none
    train = cfg.get('train_cfg') or {}
    for unit, key in (('iter', 'max_iters'), ('epoch', 'max_epochs')):
        if key in train and any(
            'head' in part and cfg.model[part] for part in cfg.model
        ):
            return f'work_dirs/{Path(path).stem}/{unit}_{train[key]}.pth'
    raise ValueError(
        f'--teacher-ckpt: give it, since {path!r} publishes none and trains none (it '
        'has no head, or no train_cfg.max_epochs or max_iters)'
    )


def logits_module(role: str, network: 'BaseModel', source: str) -> str:
    """Name of the module that gives the class scores.

    Args:
        role: 'teacher' or 'student'.
        network: The network.
        source: What the method names: the last layer of a segmentor's ``decode_head``,
            or that of a classifier's ``head``, of which the last linear layer is meant.
    """
    from torch import nn

    is_segmentor = hasattr(network, 'decode_head')
    if source.startswith('decode_head'):
        if not is_segmentor:
            raise ValueError(
                f'--{role}: it is no segmentor (no decode_head), and the method '
                'compares the class scores of pixels; choose kd'
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


def scale_warmup(hooks: list[dict], train_cfg: dict) -> None:
    """Makes the warm-up of a method the same part of a training of another length.

    Args:
        hooks: ``custom_hooks`` of the method, changed in place.
        train_cfg: Length of the training, in epochs or iterations.
    """
    for hook in hooks:
        if type_name(hook) == 'DistillWarmupHook':
            meant = EPOCHS if hook.get('by_epoch', True) else ITERATIONS
            by_epoch = 'max_iters' not in train_cfg
            length = train_cfg.get('max_iters') or train_cfg.get('max_epochs', EPOCHS)
            if by_epoch == hook.get('by_epoch', True):
                length = min(length, meant)  # it is never made longer
            hook['length'] = max(1, hook['length'] * length // meant)
            if not by_epoch:
                hook['by_epoch'] = False
