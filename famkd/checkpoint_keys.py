"""The names of weights in checkpoints."""

import re
from collections.abc import Collection, Iterable
from typing import Any

STUDENT = 'architecture.'  # MMRazor's name of the student inside an algorithm
PARALLEL = 'module.'  # what DataParallel puts before every name


def read_weights(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """State dict of a checkpoint, without the prefix of DataParallel.

    Args:
        checkpoint: What MMEngine writes, or the state dict itself.

    Returns:
        dict: Name of the weight -> tensor.

    Raises:
        ValueError: If it is no state dict, or has a name with and without that prefix.
    """
    weights = checkpoint
    if isinstance(checkpoint, dict):
        weights = checkpoint.get('state_dict', checkpoint)
    if not isinstance(weights, dict) or not all(
        isinstance(key, str) for key in weights
    ):
        raise ValueError('it holds no state dict: no dict of names and weights')
    found = {key.removeprefix(PARALLEL): value for key, value in weights.items()}
    if len(found) < len(weights):
        name = next(
            key for key in found if key in weights and PARALLEL + key in weights
        )
        raise ValueError(
            f'it has both {name} and {PARALLEL}{name}: which one is meant?'
        )
    return found


def student_weights(weights: dict[str, Any]) -> dict[str, Any]:
    """Weights of the student in the state dict of a distillation.

    Args:
        weights: A state dict, see :func:`read_weights`.

    Returns:
        dict: The student's own names -> tensors, its data preprocessor included;
        empty where the state dict is not of a distillation.
    """
    return {
        key.removeprefix(STUDENT): value
        for key, value in weights.items()
        if key.startswith(STUDENT)
    }


def foreign_weights(names: Iterable[str], modules: Collection[str]) -> list[str]:
    """Names in a checkpoint that tell that it is of another, larger network.

    Of no use, but no sign of that, are modules that a network is often built without:
    heads, auxiliary ones too, classifiers and necks, the token of masked patches that
    pretraining leaves behind, averaged copies of the weights (``ema_*``), and what the
    data preprocessor keeps.

    Args:
        names: Names of weights that the network has no use for.
        modules: Names of the network's modules.

    Returns:
        list[str]: Those that no such module accounts for.
    """
    return [
        name for name in names if not _OFTEN_LEFT_OUT(_first_lacking(name, modules))
    ]


_OFTEN_LEFT_OUT = re.compile(
    r'(\w+\.)*(\w*heads?(_\w+)?|\w*aux\w*|classifier|fc|neck|ema_\w+|mask_token'
    r'|_extra_state)'
    r'|data_preprocessor(\.\w+)?',
    re.IGNORECASE,
).fullmatch


def _first_lacking(name: str, modules: Collection[str]) -> str:
    """The first module on the way to a weight that a network lacks."""
    parts = name.split('.')
    for i in range(1, len(parts)):
        if (prefix := '.'.join(parts[:i])) not in modules:
            return prefix
    return name
