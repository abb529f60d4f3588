"""The methods that recipes are built on, in the form for a task and a training."""

from typing import TYPE_CHECKING

from famkd.apis.paths import CONFIGS
from famkd.names import type_name

if TYPE_CHECKING:
    from mmengine.config import Config

BASES = CONFIGS / '_base_'
# Bases that are no method by themselves: of the teacher alone, of its heads.
PARTS = {'freekd_prompts', 'freekd_regression'}
# Package of the networks -> endings of the bases that adapt a method to its task.
FORMS = {'mmdet': ['_fpn'], 'mmseg': ['_maps', '_pixels']}
# The lengths of training that the warm-ups of the methods are meant for.
EPOCHS, ITERATIONS = 240, 180_000


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
