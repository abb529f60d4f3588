"""Options of a distillation, checked where they enter."""

from collections.abc import Mapping
from inspect import signature
from math import isfinite

import torch

from famkd.names import suggestion

PRECISIONS = torch.float32, torch.bfloat16, torch.float16, torch.float64
OF_BASE = {'init_cfg', 'module_inplace'}  # options of MMRazor's BaseAlgorithm


def refuse_options_of_mmrazor(options: dict) -> None:
    """Takes out the options of ``SingleTeacherDistill``, if they say what is done."""
    for name, needed in (
        ('teacher_trainable', False),
        ('student_trainable', True),
    ):
        if options.pop(name, needed) != needed:
            raise ValueError(
                f'{name}={not needed}: FeatureDistill trains the student, and the '
                'teacher not at all; leave it out, or use mmrazor.SingleTeacherDistill'
            )
    for name in ('teacher_norm_eval', 'teacher_module_inplace'):
        options.pop(name, None)


def refuse_unknown(options: Mapping[str, object], algorithm: type) -> None:
    """Names an option that an algorithm does not have, and those like it.

    Args:
        options: The options that are none of its own.
        algorithm: Its class.
    """
    known = {*signature(algorithm.__init__).parameters, *OF_BASE}
    for name in options.keys() - OF_BASE:
        hint = suggestion(name, known - {'self', 'kwargs'}, otherwise='leave it out')
        raise ValueError(f'model.{name} is no option of {algorithm.__name__}; {hint}')


def check_teacher_options(options: Mapping[str, object], teacher: type) -> None:
    """Names an option that a teacher does not have, or that is neither on nor off.

    Args:
        options: ``teacher_options``.
        teacher: The class that gets them.
    """
    fixed = {'network', 'distiller', 'images'}
    known = [name for name in signature(teacher).parameters if name not in fixed]
    for name in options:
        if name not in known:
            raise ValueError(
                f'teacher_options: there is no {name!r}; choose from {", ".join(known)}'
            )
        is_switch = signature(teacher).parameters[name].default is False
        if is_switch and not isinstance(options[name], bool):
            raise ValueError(
                f'teacher_options: {name}={options[name]!r} must be True or False'
            )


def to_dtype(name: str | None) -> torch.dtype | None:
    if name is None:
        return None
    dtype = getattr(torch, str(name).removeprefix('torch.'), None)
    if dtype not in PRECISIONS:
        raise ValueError(
            f'teacher_options: dtype={name!r} is no precision; choose float32, '
            'bfloat16 or float16, or leave it out'
        )
    return dtype


def to_size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2 or not all(type(x) is int and x > 0 for x in sides):
        raise ValueError(
            f'teacher_options: input_size={size!r} must be a height and a width in '
            'pixels, or one number for both'
        )
    return sides


def to_scale(scale: float | None, size: int | tuple[int, int] | None) -> float | None:
    if scale is None:
        return None
    if size is not None:
        raise ValueError(
            f'teacher_options: input_size={size!r} and input_scale={scale!r} exclude '
            'each other; leave one out'
        )
    is_number = type(scale) in (int, float)
    if not is_number or not isfinite(scale) or scale <= 0:
        raise ValueError(
            f'teacher_options: input_scale={scale!r} must be a factor above 0, such '
            'as 0.875'
        )
    return scale
