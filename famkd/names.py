"""Names in configs and messages: of classes, of files, of weights."""

import difflib
from collections.abc import Iterable


def near_names(
    name: str, known: Iterable[str], count: int = 3, cutoff: float = 0.4
) -> list[str]:
    """The known names that are most like a given one, whatever their case.

    Args:
        name: What was asked for.
        known: The names that there are.
        count: How many names at most. Defaults to 3.
        cutoff: Least similarity, from 0 to 1. Defaults to 0.4.

    Returns:
        list[str]: The nearest first; empty where none is near.
    """
    by_lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=cutoff)
    return [by_lower[other] for other in near]


def type_name(component: dict) -> str:
    """Name of a component's class, whether its config has the name or the class."""
    kind = component.get('type', '')
    return kind.rpartition('.')[2] if isinstance(kind, str) else kind.__name__


def suggestion(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """The end of a message about an unknown name: those like it, or else all.

    Args:
        name: What was asked for.
        known: The names that there are.
        otherwise: What to say where none is like it. Defaults to None: all of them.
    """
    known = list(known)
    near = near_names(name, known, cutoff=0.6)
    if near:
        return f'did you mean {" or ".join(near)}?'
    return otherwise or f'choose from {", ".join(known)}'


def first_names(names: Iterable[object]) -> str:
    """The first three of many names, in a message; ``'none'`` where there are none."""
    names = list(map(str, names))
    return ', '.join([*names[:3], *(['...'] if names[3:] else [])]) or 'none'
