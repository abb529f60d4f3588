"""Misspelt classes in the model of a config."""

import sys
from collections.abc import Iterator

import mmengine.registry as registries
from mmengine.registry import DefaultScope, Registry

from famkd.names import near_names

# Where the parts of networks and of distillers are looked up.
PARTS = registries.MODELS, registries.TASK_UTILS, registries.WEIGHT_INITIALIZERS
# What MMRazor adds to the names of a distiller's recorders and deliveries.
SUFFIXES = 'Recorder', 'Delivery'


def model_problems(model: dict) -> Iterator[str]:
    """Classes that no registry has, where one has a class of nearly that name.

    Which registry a part is built from only its owner knows. So a class is right if
    any registry of the packages that the model names has it; of those that none has,
    what is like no other name is left to its owner. Names in lower case (``'nms'``)
    are of functions, which need no registry.

    Args:
        model: Config of the model; the current default scope is the config's.

    Returns:
        Iterator: One sentence for each: key, class and those that may be meant.
    """
    types = list(_types(model, 'model'))
    # A distiller is built in MMRazor's scope, all else in that of the config.
    scopes = {None, 'mmrazor', *(scope for *_, scope in types)}
    for key, name, _ in types:
        package, _, short = name.rpartition('.')
        if '.' in package or not short[:1].isupper():
            continue
        places = {package} if package else scopes
        names = [name, *(name + suffix for suffix in SUFFIXES)]
        if any(_has(x, place) for x in names for place in places):
            continue
        if package and f'{package}.registry' not in sys.modules:
            continue  # not installed, or no package of OpenMMLab's kind
        known = {x for place in places for part in PARTS for x in _names(part, place)}
        # A class of a package that is not installed is like others, but not so much.
        near = near_names(short, known, cutoff=0.85)
        if near:
            yield (
                f'{key}.type={name!r}: there is no such class; did you mean '
                f'{" or ".join(near)}?'
            )


def _types(
    part: object, key: str, scope: str | None = None
) -> Iterator[tuple[str, str, str | None]]:
    """Where there are classes in a model, their names, and the scope that is given."""
    if isinstance(part, dict):
        scope = part.get('_scope_', scope)
        if isinstance(part.get('type'), str):
            yield key, part['type'], scope
    elif not isinstance(part, (list, tuple)):
        return
    inner = part.items() if isinstance(part, dict) else enumerate(part)
    for name, value in inner:
        yield from _types(value, f'{key}.{name}', scope)


def _has(name: str, scope: str | None) -> bool:
    """Whether a scope has a class, in the registries of parts or in others."""
    for part in PARTS:
        with part.switch_scope_and_registry(scope) as registry:
            if registry.get(name) is not None:
                return True
    # Some packages have more kinds of parts, such as batch augmentations.
    scope = scope or getattr(DefaultScope.get_current_instance(), 'scope_name', None)
    others = vars(sys.modules.get(f'{scope}.registry', registries)).values()
    short = name.rpartition('.')[2]
    return any(short in x.module_dict for x in others if isinstance(x, Registry))


def _names(part: Registry, scope: str | None) -> Iterator[str]:
    """The names that a registry and those above have for it."""
    with part.switch_scope_and_registry(scope) as registry:
        while registry is not None:
            for name in registry.module_dict:
                for suffix in SUFFIXES:
                    name = name.removesuffix(suffix)
                if name[:1].isupper():
                    yield name
            registry = registry.parent
