"""Filling the teacher with a checkpoint, completely."""

import logging
from collections import Counter
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor

from famkd.checkpoint_keys import foreign_weights, read_weights, student_weights
from famkd.names import first_names
from famkd.runtime.finite import non_finite
from famkd.runtime.safe_load import load_checkpoint


def load_teacher(
    teacher: BaseModel,
    checkpoint: str | None,
    allow_random: bool = False,
    allow_unused: bool = False,
) -> None:
    """Fills the teacher with a checkpoint, completely.

    A file is memory-mapped: processes of one machine share what they read of it. It
    may be of a part of the teacher, such as that of a backbone: the names then lack
    the part's. What the network resizes while it is loaded, such as position
    embeddings, may be of another size.

    Args:
        teacher: Network to fill, in place.
        checkpoint: Path or URL; None leaves the teacher random.
        allow_random: Whether weights may stay uninitialised. Defaults to False.
        allow_unused: Whether the checkpoint may be of a larger network, see
            :func:`foreign_weights`. Defaults to False.

    Raises:
        FileNotFoundError: If there is no file at the path.
        ValueError: If the file is unreadable, asks for more than weights, is of
            another network, leaves weights of the teacher uninitialised, or has more
            than one name or no real number for a weight.
    """
    if checkpoint is None:
        if not allow_random:
            raise ValueError(
                'teacher_ckpt=None would distil from a random teacher; set '
                'model.teacher_ckpt to its checkpoint (or '
                'model.allow_random_teacher=True if that is meant)'
            )
        return
    wanted = teacher.state_dict()
    given = _with_prefix(_read_state_dict(checkpoint), wanted)
    _check_values(checkpoint, given, wanted)
    missing = [k for k in wanted if k not in given and 'num_batches' not in k]
    unused = [key for key in given if key not in wanted]
    foreign = foreign_weights(unused, dict(teacher.named_modules()))
    fits = (not missing or allow_random) and (not foreign or allow_unused)
    if fits and _fill(teacher, given):
        if unused:
            print_log(
                f'teacher_ckpt: {len(unused)} entries are of no use '
                f'({first_names(unused)})',
                'current',
                logging.WARNING,
            )
        # The runner must not initialise the weights again.
        teacher._is_init = True
        return
    shapes = [
        f'{key} is {tuple(given[key].shape)}, the teacher has {tuple(value.shape)}'
        for key, value in wanted.items()
        if key in given and given[key].shape != value.shape
    ]
    raise ValueError(
        f'teacher_ckpt={checkpoint!r} does not fit the teacher: '
        f'{len(missing)} of its {len(wanted)} entries are missing '
        f'({first_names(missing)}), {len(shapes)} differ in shape '
        f'({first_names(shapes)}), {len(unused)} are of no use '
        f'({first_names(foreign or unused)}); give the checkpoint of the network in '
        'model.teacher' + _hint(given, missing + shapes)
    )


def _fill(teacher: BaseModel, given: dict[str, Tensor]) -> bool:
    """Whether the weights fit; they are taken as they lie in memory, not copied."""
    before = teacher.state_dict()
    given = {
        key: value.to(before[key].dtype) if key in before else value
        for key, value in given.items()
    }
    try:
        teacher.load_state_dict(given, strict=False, assign=True)
    except RuntimeError:  # of other shapes
        teacher.load_state_dict(before, assign=True)
        return False
    return True


def _with_prefix(given: dict[str, Tensor], wanted: dict) -> dict[str, Tensor]:
    """Weights of a part of a network under their names in the whole."""
    if any(key in wanted for key in given):
        return given
    prefixes = Counter(
        name.removesuffix(key)
        for key in given
        for name in wanted
        if name.endswith(f'.{key}')
    )
    prefix = prefixes.most_common(1)[0][0] if prefixes else ''
    return {f'{prefix}{key}': value for key, value in given.items()}


def _read_state_dict(checkpoint: str) -> dict:
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise FileNotFoundError(
            f'teacher_ckpt={checkpoint!r}: no such file; train the teacher first or '
            'set model.teacher_ckpt to its checkpoint'
        )
    try:
        return read_weights(load_checkpoint(checkpoint, 'current', mmap=True))
    except Exception as error:
        raise ValueError(
            f'teacher_ckpt={checkpoint!r} cannot be loaded: '
            f'{type(error).__name__}: {error}'
        ) from error


def _check_values(checkpoint: str, given: dict, wanted: dict[str, Tensor]) -> None:
    """Refuses what PyTorch would convert with a loss, or the training spread."""
    for name, value in given.items():
        is_float = isinstance(value, Tensor) and value.is_floating_point()
        if isinstance(value, Tensor) and (
            value.layout is not torch.strided or value.is_meta
        ):
            raise ValueError(
                f'teacher_ckpt={checkpoint!r}: {name} is sparse, or has no values'
            )
        if name in wanted and is_float != wanted[name].is_floating_point():
            kind = getattr(value, 'dtype', type(value).__name__)
            raise ValueError(
                f'teacher_ckpt={checkpoint!r}: {name} is of {kind}, the teacher has '
                f'{wanted[name].dtype}; give a checkpoint of real numbers, not '
                'quantized'
            )
    if spoilt := non_finite(given):
        raise ValueError(
            f'teacher_ckpt={checkpoint!r}: {len(spoilt)} of its {len(given)} entries '
            f'have values that are not finite ({first_names(spoilt)}): its '
            'training has failed; give an earlier one'
        )


def _hint(state_dict: dict, wrong: list[str]) -> str:
    if not wrong:
        return (
            ', or set model.allow_unused_weights=True if a part of a larger one is '
            'meant to teach'
        )
    if student_weights(state_dict):
        return (
            ' (this one is of a distillation: take the student out of it with '
            'tools/model_converters/extract_student.py)'
        )
    return ''
