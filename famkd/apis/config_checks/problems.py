"""What a config says that would fail only later: names and numbers in it."""

from collections.abc import Iterator, Sequence
from inspect import signature
from types import NoneType
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, set_random_seed
from mmengine.utils.dl_utils import set_multi_processing
from torch.distributed import init_process_group
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader

from famkd.apis.config_checks.components import PARTS, components
from famkd.apis.config_checks.metrics import metric_problems
from famkd.apis.config_checks.model import model_problems
from famkd.apis.config_checks.numbers import NOT_NEGATIVE, NUMBERS, number_problems
from famkd.apis.config_checks.options import (
    component_problems,
    kind_problems,
    unknown_option,
)
from famkd.names import near_names, suggestion

DEFAULT_HOOKS = (
    'runtime_info timer sampler_seed logger param_scheduler checkpoint visualization '
    'runtime'
).split()
LOG_LEVELS = 'CRITICAL', 'FATAL', 'ERROR', 'WARNING', 'WARN', 'INFO', 'DEBUG', 'NOTSET'
# What MMEngine's constructor of optimizers looks for in `paramwise_cfg`.
PARAMWISE = (
    'bias_decay_mult bias_lr_mult bypass_duplicate custom_keys dcn_offset_lr_mult '
    'dwconv_decay_mult flat_decay_mult norm_decay_mult'
).split()
ENVIRONMENT = 'cudnn_benchmark', 'dist_cfg', 'mp_cfg', 'resource_limit'
# Those that may be left out, but not be None.
REQUIRED = 'model', 'model.architecture', 'model.distiller', 'model.teacher'
# What is a dict, if it is there at all; a list of dicts, or one; and a path.
DICTS = (
    'default_hooks',
    'env_cfg',
    'env_cfg.dist_cfg',
    'env_cfg.mp_cfg',
    *REQUIRED,
    'model.teacher_options',
    'optim_wrapper',
    'optim_wrapper.clip_grad',
    'optim_wrapper.optimizer',
    'optim_wrapper.paramwise_cfg',
    'optim_wrapper.paramwise_cfg.custom_keys',
    'randomness',
    'test_cfg',
    'test_dataloader',
    'train_cfg',
    'train_dataloader',
    'train_dataloader.dataset',
    'val_cfg',
    'val_dataloader',
    'val_dataloader.dataset',
)
LISTS = 'custom_hooks', 'param_scheduler', 'test_evaluator', 'val_evaluator'
PATHS = (
    'load_from',
    'model.architecture.cfg_path',
    'model.distiller.prompts',
    'model.feature_cache',
    'model.teacher.cfg_path',
    'model.teacher_ckpt',
    'work_dir',
)


def config_problems(cfg: Config, parts: Sequence[str] | None = None) -> Iterator[str]:
    """The mistakes in a config that can be found before anything is built.

    They are: a class that no registry has, an option that a class does not take, a
    value of another kind, a number that makes no sense, an interval of 0, a metric
    that the evaluator does not give, a data loader without data, no model, nothing to
    test. Of the model, only the names of its classes and of their options are looked
    at: the rest is left to them, which the runner builds at once.

    Args:
        cfg: The complete config.
        parts: What is to be run: 'train', 'val', 'test'. Defaults to None: all that is
            there, which may be a part of a config, without a model.

    Returns:
        Iterator: One sentence for each mistake: key, value and what to do.
    """
    wrong = list(_shape_problems(dict(cfg.items())))
    if wrong:
        yield from wrong
        return
    unused = set()
    if parts is not None:
        yield from _missing(cfg, parts)
        unused = {'train', 'val', 'test'}.difference(parts)
    if 'train' in unused:
        unused |= {'optim', 'param'}  # optim_wrapper and param_scheduler
    config = {key: x for key, x in cfg.items() if key.split('_')[0] not in unused}
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        found = list(components(config))
        for component in found:
            yield from component_problems(component)
        for key, rule in NUMBERS.items():
            yield from number_problems(key, _value(config, key), rule)
        yield from _argument_problems(config)
        yield from metric_problems(found)
        yield from model_problems(cfg.get('model') or {})


def _missing(cfg: Config, parts: Sequence[str]) -> Iterator[str]:
    """What is not there, without which nothing can be run."""
    needed = ['model']
    if 'train' not in parts:  # a training may have no validation
        ends = 'cfg', 'dataloader', 'evaluator'
        needed += [f'{part}_{end}' for part in parts for end in ends]
    for key in needed:
        if cfg.get(key) is None:
            yield f'{key} is missing, or None; add it, or take a config that has it'


def _shape_problems(config: dict) -> Iterator[str]:
    """What is no dict where one is needed, or not the one that was meant."""
    for keys, kinds, wanted in (
        (DICTS, dict, 'a dict of options'),
        (LISTS, (list, tuple, dict), 'a dict of options, or a list of them'),
        (PATHS, str, 'a path'),
    ):
        for key in keys:
            value = _value(config, key)
            is_missing = value is None and key in REQUIRED and _names(config, key)
            if is_missing or not isinstance(value, (kinds, NoneType)):
                yield f'{key}={value!r} must be {wanted}'
            elif isinstance(value, (list, tuple)):
                for i, one in enumerate(value):
                    if isinstance(one, (str, bool, int, float)):
                        yield f'{key}.{i}={one!r} must be a dict of options'
    for name, hook in _dict(config, 'default_hooks').items():
        if name not in DEFAULT_HOOKS:
            if hook is None or near_names(name, DEFAULT_HOOKS, cutoff=0.8):
                yield (
                    f'default_hooks.{name}={hook!r} is none of the default hooks; '
                    + suggestion(name, DEFAULT_HOOKS)
                )
    level = config.get('log_level')
    if isinstance(level, str) and level not in LOG_LEVELS:
        yield f'log_level={level!r} is no level; {suggestion(level, LOG_LEVELS)}'
    for part in ('train', 'val', 'test'):
        loader = _value(config, f'{part}_dataloader')
        missing = sorted({'dataset', 'sampler'}.difference(loader or ()))
        if loader is not None and missing:
            yield (
                f'{part}_dataloader has no {" and no ".join(missing)}, only '
                f'{list(loader)}; add it, or set all that begins with {part}_ to None'
            )


def _argument_problems(config: dict) -> Iterator[str]:
    """Keys of dicts that become the arguments of a function."""
    by_value = _value(config, 'optim_wrapper.clip_grad.type') == 'value'
    loader = {*PARTS, 'num_batch_per_epoch', 'disable_subprocess_warning'}
    calls = {
        'env_cfg.mp_cfg': (set_multi_processing, ()),
        'env_cfg.dist_cfg': (init_process_group, ('init_backend', 'port')),
        'optim_wrapper.clip_grad': (
            clip_grad_value_ if by_value else clip_grad_norm_,
            ('type',),
        ),
        'randomness': (set_random_seed, ()),
        'train_dataloader': (DataLoader, loader),
        'val_dataloader': (DataLoader, loader),
        'test_dataloader': (DataLoader, loader),
    }
    for key, (call, more) in calls.items():
        options = signature(call).parameters
        known = [*options, *more]
        for name, value in _dict(config, key).items():
            place = f'{key}.{name}'
            if name not in known:
                yield unknown_option(place, value, call.__name__, known)
            elif name in options and place not in NUMBERS:
                yield from kind_problems(place, value, call, options[name])
    for name, value in _dict(config, 'env_cfg').items():
        if name not in ENVIRONMENT:
            yield unknown_option(f'env_cfg.{name}', value, 'MMEngine', ENVIRONMENT)
    for name, option in signature(Runner).parameters.items():
        yield from kind_problems(name, config.get(name), Runner, option)
    multipliers = _dict(config, 'optim_wrapper.paramwise_cfg.custom_keys')
    for name, value in multipliers.items():
        if not isinstance(value, dict):
            key = f'optim_wrapper.paramwise_cfg.custom_keys.{name}'
            yield f'{key}={value!r} must be a dict, such as dict(lr_mult=0.1)'
    if _value(config, 'optim_wrapper.constructor') is None:
        for name, value in _dict(config, key := 'optim_wrapper.paramwise_cfg').items():
            if name not in PARAMWISE:
                yield unknown_option(f'{key}.{name}', value, 'OptimWrapper', PARAMWISE)
            elif name.endswith('_mult'):
                yield from number_problems(f'{key}.{name}', value, NOT_NEGATIVE)


def _value(config: dict, key: str) -> Any:
    """What stands at a dotted key; None where there is nothing."""
    value = config
    for name in key.split('.'):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _names(config: dict, key: str) -> bool:
    """Whether a config has a dotted key, whatever stands there."""
    place, _, name = key.rpartition('.')
    return name in (_dict(config, place) if place else config)


def _dict(config: dict, key: str) -> dict:
    """The dict at a dotted key; an empty one where there is none."""
    value = _value(config, key)
    return value if isinstance(value, dict) else {}
