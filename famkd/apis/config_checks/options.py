"""Mistakes in one component of a config: its class, and its options."""

import math
from collections.abc import Callable, Iterable, Iterator
from inspect import Parameter

from mmengine.registry import HOOKS, TRANSFORMS
from mmengine.runner import Priority, get_priority

from famkd.apis.config_checks.components import Component, options_of
from famkd.apis.config_checks.kinds import fits, in_words
from famkd.apis.config_checks.numbers import COUNT, NUMBERS, OPTIONS, number_problems
from famkd.names import near_names, suggestion

# Arguments of components that a config does not give.
NOT_IN_CONFIGS = 'self', 'args', 'kwargs', 'runner', 'param_name', 'parameters'


def component_problems(component: Component) -> Iterator[str]:
    """An unknown class or option, a value of another kind, an interval of 0.

    Args:
        component: The component.
    """
    key, kind = component.key, component.kind
    if kind is None:
        yield _no_class(component)
        return
    options, takes_others = options_of(kind)
    for option, value in component.given.items():
        place, parameter = f'{key}.{option}', options.get(option)
        if parameter is None:
            # One of a class that takes others must be very near to be a mistake.
            if not takes_others or near_names(option, options, cutoff=0.9):
                yield unknown_option(place, value, kind.__name__, options)
        elif component.registry is TRANSFORMS and not isinstance(value, str):
            continue  # Many take a list, too, where they are annotated with a number.
        elif place not in NUMBERS:
            wrong = list(kind_problems(place, value, kind, parameter))
            yield from wrong or number_option_problems(option, place, value)
    if component.registry is HOOKS and 'priority' in component.config:
        yield from _priority_problems(key, component.config['priority'])


def kind_problems(
    key: str, value: object, owner: Callable, option: Parameter
) -> Iterator[str]:
    """The message about a value that is of none of the kinds that its owner takes.

    Args:
        key: Where it stands.
        value: What stands there; None, for a default, is right.
        owner: The class or function that would get it.
        option: Its option there.
    """
    annotation = option.annotation
    if annotation is option.empty and isinstance(option.default, bool):
        annotation = bool
    if value is not None and not fits(value, annotation):
        wanted = in_words(annotation)
        yield f'{key}={value!r}: {owner.__name__} takes {wanted} there'


def number_option_problems(option: str, key: str, value: object) -> Iterator[str]:
    """The messages about numbers that make no sense for an option, whosever it is."""
    if option in OPTIONS:
        for one in value if isinstance(value, (list, tuple)) else [value]:
            yield from number_problems(key, one, OPTIONS[option])
    elif option == 'dynamic_intervals':
        for _, interval in value or ():
            yield from number_problems(key, interval, COUNT)
    elif isinstance(value, float) and math.isnan(value):
        yield f'{key}=nan is no number; correct it'


def unknown_option(key: str, value: object, owner: str, known: Iterable[str]) -> str:
    """The message about an option that its owner does not have.

    Args:
        key: Where it stands.
        value: What stands there.
        owner: The class or function that would get it.
        known: The options that it has.
    """
    known = [name for name in known if name not in NOT_IN_CONFIGS]
    hint = suggestion(key.rpartition('.')[2], known)
    return f'{key}={value!r}: {owner} has no such option; {hint}'


def _priority_problems(key: str, priority: object) -> Iterator[str]:
    try:
        get_priority(priority)
    except (KeyError, TypeError, ValueError):
        names = ', '.join(Priority.__members__)
        yield f'{key}.priority={priority!r} must be 0 to 100, or one of {names}'


def _no_class(component: Component) -> str:
    name = component.config.get('type')
    if name is None:
        return f'{component.key} has no type, only {list(component.config)}; add it'
    hint = suggestion(
        name,
        component.known_types(),
        otherwise='correct it, or name its module in custom_imports',
    )
    return f'{component.key}.type={name!r}: there is no such class; {hint}'
