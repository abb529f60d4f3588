"""The components that a config describes: where, of which class, with which options."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property

import mmengine.registry as registries
from mmengine.registry import Registry

from famkd.names import type_name

# Keys of a config under which there are components, alone, in a list or under names;
# None where only their parts are. The model is left to its own classes.
ROOTS = {
    'default_hooks': registries.HOOKS,
    'custom_hooks': registries.HOOKS,
    'optim_wrapper': registries.OPTIM_WRAPPERS,
    'param_scheduler': registries.PARAM_SCHEDULERS,
    'train_cfg': registries.LOOPS,
    'val_cfg': registries.LOOPS,
    'test_cfg': registries.LOOPS,
    'train_dataloader': None,
    'val_dataloader': None,
    'test_dataloader': None,
    'val_evaluator': registries.METRICS,
    'test_evaluator': registries.METRICS,
    'visualizer': registries.VISUALIZERS,
    'log_processor': registries.LOG_PROCESSORS,
}
# Names of the components that are parts of others.
PARTS = {
    'optimizer': registries.OPTIMIZERS,
    'dataset': registries.DATASETS,
    'datasets': registries.DATASETS,
    'pipeline': registries.TRANSFORMS,
    'transforms': registries.TRANSFORMS,
    'sampler': registries.DATA_SAMPLERS,
    'batch_sampler': registries.DATA_SAMPLERS,
    'collate_fn': registries.FUNCTIONS,
    'worker_init_fn': registries.FUNCTIONS,
    'vis_backends': registries.VISBACKENDS,
}
# What is taken out of a component's options before it is built.
TAKEN = {
    registries.HOOKS: {'priority'},
    registries.OPTIM_WRAPPERS: {'constructor', 'paramwise_cfg'},
    registries.PARAM_SCHEDULERS: {'convert_to_iter_based'},
    registries.LOOPS: {'by_epoch'},
}
# Classes that hand what they have on to a package with classes of its own.
FOREIGN = {'Albu', 'Albumentations'}


@dataclass(frozen=True)
class Component:
    """One component of a config.

    Attributes:
        key: Where it stands, such as ``'train_dataloader.dataset'``.
        config: What stands there.
        registry: The registry of its class, in the scope of the config.
    """

    key: str
    config: dict
    registry: Registry

    @cached_property
    def kind(self) -> Callable | None:
        """Its class or function; None where the registry has none of its name."""
        kind = self.config.get('type', default_type(self.key, self.config))
        if not isinstance(kind, str):
            return kind
        with self._in_scope() as registry:
            return registry.get(kind)

    @property
    def given(self) -> dict[str, object]:
        """The options that the config gives it."""
        taken = TAKEN.get(self.registry, set()) | {'type', '_scope_'}
        return {name: x for name, x in self.config.items() if name not in taken}

    def _in_scope(self) -> AbstractContextManager[Registry]:
        if self.registry is registries.FUNCTIONS:  # of no package: MMEngine would warn
            return nullcontext(self.registry)
        return self.registry.switch_scope_and_registry(self.config.get('_scope_'))

    def known_types(self) -> list[str]:
        """The names in its registry, and in those above."""
        names = []
        with self._in_scope() as registry:
            while registry is not None:
                names += registry.module_dict
                registry = registry.parent
        return names


def components(config: dict) -> Iterator[Component]:
    """The components that a config describes, but for its model.

    Args:
        config: The config, or some of its keys.
    """
    for key, registry in ROOTS.items():
        yield from _components(config.get(key), key, registry)


def _components(
    config: dict | list | object, key: str, registry: Registry | None
) -> Iterator[Component]:
    """Those at a key: of the registry itself, or as parts of what stands there."""
    if isinstance(config, (list, tuple)) and registry is not None:
        for i, part in enumerate(config):
            yield from _components(part, f'{key}.{i}', registry)
    if not isinstance(config, dict):
        return
    is_component = registry is not None and not is_container(key, config)
    if is_component:
        yield Component(key, config, registry)
        if type_name(config) in FOREIGN:
            return
    for name, part in config.items():
        place = PARTS.get(name) if is_component or registry is None else registry
        yield from _components(part, f'{key}.{name}', place)


def is_container(key: str, config: dict) -> bool:
    """Whether a dict at a place of components only holds them, under names."""
    name = key.rpartition('.')[2]
    if name.endswith('_evaluator'):
        return 'metrics' in config
    return name == 'default_hooks' or (
        name in ('optim_wrapper', 'param_scheduler')
        and 'type' not in config
        and 'optimizer' not in config
    )


def default_type(key: str, config: dict) -> str | None:
    """The class of a component that does not say it, as the runner will choose it."""
    if key == 'train_cfg' and 'by_epoch' in config:
        return 'EpochBasedTrainLoop' if config['by_epoch'] else 'IterBasedTrainLoop'
    return {
        'val_cfg': 'ValLoop',
        'test_cfg': 'TestLoop',
        'optim_wrapper': 'OptimWrapper',
        'log_processor': 'LogProcessor',
        'visualizer': 'Visualizer',
        'default_hooks.runtime': 'RuntimeHook',
    }.get(key)


def options_of(kind: Callable) -> tuple[dict[str, inspect.Parameter], bool]:
    """The options that a class or a function takes by name.

    A class that passes ``**kwargs`` on takes those of its parents, too.

    Args:
        kind: The class or the function.

    Returns:
        tuple: The options, and whether there may be others.
    """
    options = {}
    is_class = isinstance(kind, type)
    calls = [vars(c).get('__init__') for c in kind.__mro__] if is_class else [kind]
    for call in filter(None, calls):
        try:
            parameters = inspect.signature(call).parameters
        except (TypeError, ValueError):  # one that is written in C
            break
        options = {**parameters, **options}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters.values()):
            return options, False
    return options, True
