"""Whether a value is what an option is annotated to take."""

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

NUMBERS = bool, int, float
LISTS = list, tuple, set, Sequence, Iterable
DICTS = dict, Mapping


def fits(value: object, annotation: Any) -> bool:
    """Whether a value is of the kind that an annotation says, as far as it says.

    Numbers of all kinds are alike, and so are lists and tuples, and a list of dicts is
    like a dict: those who annotate do not tell them apart. What a config cannot write
    down is left to its owner.

    Args:
        value: The value.
        annotation: Annotation of the option that it is for.
    """
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if kind is Literal:
        return value in inner
    if kind in (None, NoneType):
        return value is None
    if kind in NUMBERS:
        return isinstance(value, NUMBERS)
    if kind is str:
        return not isinstance(value, (bool, list, tuple))  # 512.0, or a dict of a class
    if kind in DICTS:
        return isinstance(value, (dict, list, tuple))
    if kind in LISTS:
        if not isinstance(value, (list, tuple)):
            return not isinstance(value, (str, dict, *NUMBERS))
        return len(inner) != 1 or all(fits(one, inner[0]) for one in value)
    return True


def in_words(annotation: Any) -> str:
    """What fits an annotation, such as ``'a number or a list of numbers'``."""
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return ' or '.join(dict.fromkeys(in_words(one) for one in inner))
    if kind is Literal:
        return ' or '.join(map(repr, inner))
    if kind in LISTS:
        one = in_words(inner[0]) if len(inner) == 1 else ''
        return f'a list of {one.removeprefix("a ")}s' if one[:2] == 'a ' else 'a list'
    if kind in DICTS:
        return 'a dict'
    if kind in (int, float):
        return 'a number'
    names = {bool: 'True or False', str: 'a string', NoneType: 'None', None: 'None'}
    return names.get(kind, str(kind))
