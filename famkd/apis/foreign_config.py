"""Configs in the checkpoints of others: read, not run, and built of parts only."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from famkd.runtime.literal_config import parse_config
from famkd.runtime.safe_load import is_trusted

if TYPE_CHECKING:
    from mmengine.config import Config

PACKAGES = r'(famkd|mmcv|mmdet|mmengine|mmpretrain|mmrazor|mmseg)'
# Where these packages have the parts of networks and of their data.
PARTS = re.compile(
    rf'{PACKAGES}\.(\w+\.)*(cnn|datasets?|models?|ops|transforms)(\.\w+)*'
    r'|torch\.nn\.modules(\.\w+)*'
)
# Short names of parts: `mmdet.RetinaNet`, and `torch.nn.Conv2d` of torch.nn.modules.
SCOPED = re.compile(rf'({PACKAGES}|torch\.nn)\.\w+')
SHIPPED = re.compile(rf'{PACKAGES}::(?!/|.*\.\.)[\w./-]+')
# Options whose text a package gives to `eval`.
EVALUATED = ('dtype', 'type', 'warp_mode')
# Options that name a config, which is run.
CONFIGS = ('cfg_path', 'deploy_cfg', 'teacher_config')
# Options of MMRazor with functions and classes whose modules it imports.
IMPORTED = (
    'func_path',
    'method_path',
    'no_observer_modules',
    'object_type',
    'skipped_methods',
)
# Classes with readers of pickles of their own.
UNPICKLING = ('OpenImagesChallengeDataset', 'RAM', 'RAMNormal', 'RAMOpenset')
FIX = 'give the config (--config), or, if you trust whoever made it, --trust-checkpoint'
# Keys of a config that the tools build something of.
BUILT = re.compile(r'model|data_preprocessor|\w+_(dataloader|pipeline)')

# All strings of the configs that were read.
_strings: set[str] = set()


def read_foreign_config(text: str) -> 'Config':
    """Reads the config in a checkpoint, from which a network is to be built.

    A list of values is no program, but MMEngine calls whatever a ``type`` names, be it
    ``'os.system'``. From now on it finds only parts of networks and of data by the
    names in this config, unless files are trusted: some are handed on under other keys,
    or looked up when the network runs. What is named elsewhere is found as before.

    Args:
        text: The text of the config.

    Raises:
        ValueError: If it is no list of values, or names what is no such part or a
            config that no package ships: names the key.
    """
    from mmengine.config import Config

    config = parse_config(text)
    if not is_trusted():
        _check({key: x for key, x in config.items() if BUILT.fullmatch(key)}, '')
        _strings.update(_strings_in(config))
        _find_parts_only()
    return Config(config)


def _check(part: Any, place: str) -> None:
    """Refuses what MMEngine would call, evaluate or run as another config."""
    if isinstance(part, dict):
        items = part.items()
    elif isinstance(part, (list, tuple)):
        items = enumerate(part)
    else:
        return
    for name, value in items:
        key = f'{place}.{name}' if place else str(name)
        _check(value, key)
        danger = _danger(name, value)
        if danger:
            raise ValueError(f'{key}={value!r} of its config {danger}; {FIX}')


def _danger(name: Any, value: Any) -> str | None:
    """Why code that MMEngine or its packages do not ship might run, if it might."""
    if name in IMPORTED:
        values = value if isinstance(value, (list, tuple)) else [value]
        if not all(re.match(rf'({PACKAGES}|mmcls|torch)\.', str(x)) for x in values):
            return 'names modules of others, which would be imported'
    if "'" in str(name):  # MMRazor evaluates the names of modules, in quotes
        return 'has a key with a quote'
    if name == 'trust_remote_code' and value:
        return 'would run code of a model zoo'
    if isinstance(value, bytes):  # `eval` takes them, too
        return 'is no text'
    if not isinstance(value, str):
        return None
    short = value.rpartition('.')[2]
    if short in UNPICKLING or (name, value) == ('decode_backend', 'pickle'):
        return 'reads a pickle, which can run code'
    if name in EVALUATED and not re.fullmatch(r'[\w.]+', value):
        return 'is no name'
    if name in CONFIGS and not SHIPPED.fullmatch(value):
        return 'is a file, which would be run'
    is_known = SCOPED.fullmatch(value) or PARTS.fullmatch(value)
    if name == 'type' and '.' in value and not is_known:
        return 'is no part of a network or its data'
    return None


def _strings_in(part: Any) -> Iterator[str]:
    """The strings anywhere in a config, its keys among them."""
    if isinstance(part, dict):
        part = [*part, *part.values()]
    if isinstance(part, str):
        yield part
    elif isinstance(part, (list, tuple, set)):
        for one in part:
            yield from _strings_in(one)


@cache
def _find_parts_only() -> None:
    """Has MMEngine's registries find parts only by the names in configs that were read.

    Also by a piece of a name: a registry looks for ``'mmdet.os.system'`` as
    ``'os.system'``, too.
    """
    from mmengine.registry import registry

    find = registry.get_object_from_string

    def find_part(name: str) -> object:
        if is_trusted() or not any(name in string for string in _strings):
            return find(name)
        is_known = PARTS.fullmatch(name) or name.startswith('torch.nn.')
        found = find(name) if is_known else None
        is_part = isinstance(found, type) and PARTS.fullmatch(found.__module__)
        return found if is_part else None

    registry.get_object_from_string = find_part
