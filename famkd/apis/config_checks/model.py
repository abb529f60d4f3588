"""Misspelt classes and options in the model of a config."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator

import mmengine.registry as registries
from mmengine.registry import DefaultScope, Registry

from famkd.apis.config_checks.components import options_of
from famkd.apis.config_checks.options import unknown_option
from famkd.names import near_names

# Where the parts of networks and of distillers are looked up.
PARTS = registries.MODELS, registries.TASK_UTILS, registries.WEIGHT_INITIALIZERS
# What MMRazor adds to the names of a distiller's recorders and deliveries.
SUFFIXES = 'Recorder', 'Delivery'
# What MMEngine takes out of a part's config before it builds it.
NOT_OPTIONS = {'type', '_scope_'}


def model_problems(model: dict) -> Iterator[str]:
    """Classes and options that there are not, where there is one of nearly that name.

    Which registry a part is built from only its owner knows. So a class is right if
    any registry of the packages that the model names has it, and an option if any
    class of that name takes it, or the code of the model's classes mentions it: an
    owner may take it out of a part's config. What is like no other name is left to its
    owner. Names in lower case (``'nms'``) are of functions, which need no registry.

    Args:
        model: Config of the model; the current default scope is the config's.

    Returns:
        Iterator: One sentence for each: key, class or option, and what may be meant.
    """
    parts = list(_parts(model, 'model'))
    # A distiller is built in MMRazor's scope, all else in that of the config.
    scopes = {None, 'mmrazor', *(scope for *_, scope in parts)}
    kinds_at = {}
    for key, part, _ in parts:
        name = part['type']
        if isinstance(name, type):
            kinds_at[key] = [name]
            continue
        package, _, short = name.rpartition('.')
        if '.' in package or not short[:1].isupper():
            continue
        places = {package} if package else scopes
        names = [name, *(name + suffix for suffix in SUFFIXES)]
        kinds_at[key] = [k for x in names for p in places for k in _kinds(x, p)]
        if kinds_at[key] or (package and f'{package}.registry' not in sys.modules):
            continue  # or not installed, or no package of OpenMMLab's kind
        known = {x for place in places for part in PARTS for x in _names(part, place)}
        # A class of a package that is not installed is like others, but not so much.
        near = near_names(short, known, cutoff=0.85)
        if near:
            yield (
                f'{key}.type={name!r}: there is no such class; did you mean '
                f'{" or ".join(near)}?'
            )
    everything = {kind for kinds in kinds_at.values() for kind in kinds}
    for key, part, _ in parts:
        for name, known in _near_options(part, kinds_at.get(key, [])):
            if not _is_mentioned(name, everything):
                owner = kinds_at[key][0].__name__
                yield unknown_option(f'{key}.{name}', part[name], owner, known)


def _near_options(part: dict, kinds: Iterable[Callable]) -> Iterator[tuple[str, dict]]:
    """Options that no class of a part's name takes, but nearly, with those it takes.

    None where one takes ``**kwargs``: some hand them on, others drop them.
    """
    known = {}
    for kind in kinds:
        options, takes_others = options_of(kind)
        if takes_others or any(x.kind is x.VAR_KEYWORD for x in options.values()):
            return
        known |= options
    for name in part.keys() - known.keys() - NOT_OPTIONS:
        if isinstance(name, str) and near_names(name, known, cutoff=0.8):
            yield name, known


def _is_mentioned(name: str, kinds: Iterable[Callable]) -> bool:
    """Whether the modules of classes, or of their parents, may use an option."""
    modules = {c.__module__ for kind in kinds for c in getattr(kind, '__mro__', [kind])}
    for module in modules - {'builtins'}:
        try:
            source = inspect.getsource(sys.modules[module])
        except (OSError, TypeError):  # no file: of a notebook, or written in C
            return True
        if re.search(rf'\b{re.escape(name)}\b', source):
            return True
    return False


def _parts(
    part: object, key: str, scope: str | None = None
) -> Iterator[tuple[str, dict, str | None]]:
    """Where there are parts with a class in a model, and the scope that is given."""
    if isinstance(part, dict):
        scope = part.get('_scope_', scope)
        if isinstance(part.get('type'), (str, type)):
            yield key, part, scope
    elif not isinstance(part, (list, tuple)):
        return
    inner = part.items() if isinstance(part, dict) else enumerate(part)
    for name, value in inner:
        yield from _parts(value, f'{key}.{name}', scope)


def _kinds(name: str, scope: str | None) -> Iterator[Callable]:
    """The classes of a name that a scope has, in the registries of parts or others."""
    for part in PARTS:
        with part.switch_scope_and_registry(scope) as registry:
            kind = registry.get(name)
            if kind is not None:
                yield kind
    # Some packages have more kinds of parts, such as batch augmentations.
    scope = scope or getattr(DefaultScope.get_current_instance(), 'scope_name', None)
    others = vars(sys.modules.get(f'{scope}.registry', registries)).values()
    short = name.rpartition('.')[2]
    for registry in others:
        if isinstance(registry, Registry) and short in registry.module_dict:
            yield registry.module_dict[short]


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
