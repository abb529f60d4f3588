"""Whether the data that a config names are there, and are data and no code."""

import argparse
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from glob import escape, glob
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config

GUIDE = 'docs/datasets.md'
# MMEngine reads these with loaders that run what is in the file.
CODE = '.p', '.pkl', '.pickle', '.yaml', '.yml'


def check_data(
    parser: argparse.ArgumentParser, cfg: 'Config', parts: Sequence[str]
) -> None:
    """Ends the tool where data of a config are missing, or could run code.

    Args:
        parser: Reports the error: the key, what is expected, where to get it.
        cfg: The complete config.
        parts: Which data to look for: 'train', 'val', 'test'.
    """
    from mmengine.registry import DATASETS, DefaultScope

    from famkd.runtime.safe_load import is_trusted

    for key, file in () if is_trusted() else executable_data(cfg, parts):
        parser.error(
            f'{key}={file!r}: reading such a file may run code that is in it; convert '
            'it to .json, or, if you trust whoever made it, add --trust-checkpoint'
        )
    with (
        DefaultScope.overwrite_default_scope(cfg.get('default_scope')),
        DATASETS.switch_scope_and_registry(None) as registry,
    ):
        for key, path in missing_data(cfg, parts, registry.get):
            parser.error(
                f'{key}: there is no {path!r} (from {os.getcwd()}). Put the data '
                f'there, or set the key to where they are; {GUIDE} says what belongs '
                'there and how to get it'
            )


def missing_data(
    cfg: 'Config',
    parts: Sequence[str],
    find_class: Callable[[str], type | None] = lambda name: None,
) -> Iterator[tuple[str, str]]:
    """Keys of a config that name data which are not there, with their paths.

    Args:
        cfg: The config.
        parts: Which data to look for: 'train', 'val', 'test'.
        find_class: Function from the ``type`` of a dataset to its class, which says
            whether it downloads its data itself.
    """
    for key, reader in _readers(cfg, parts):
        if key.endswith('_evaluator'):
            file = reader.get('ann_file')
            if file and '://' not in file and not os.path.exists(file):
                yield f'{key}.ann_file', file
        elif not _is_remote(reader) and not _downloads(reader, find_class):
            yield from _missing_of(reader, key)


def executable_data(cfg: 'Config', parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Keys of a config that name annotations and the like that may hold code.

    Wherever they lie: a pickle that is remote is run here, too.

    Args:
        cfg: The config.
        parts: Which data to look at: 'train', 'val', 'test'.

    Returns:
        Iterator: Each key with the file.
    """
    for key, reader in _readers(cfg, parts):
        for name, file in reader.items():
            is_read = isinstance(file, str) and not name.startswith('out')
            if is_read and file.lower().endswith(CODE):
                yield f'{key}.{name}', file


def datasets_in(dataset: dict, key: str) -> Iterator[tuple[str, dict]]:
    """The datasets that read files: those inside wrappers, each with its key."""
    inner = dataset.get('dataset') or dataset.get('datasets')
    if isinstance(inner, dict):
        yield from datasets_in(inner, f'{key}.dataset')
    elif inner:
        for i, one in enumerate(inner):
            yield from datasets_in(one, f'{key}.datasets.{i}')
    else:
        yield key, dataset


def _readers(cfg: 'Config', parts: Sequence[str]) -> Iterator[tuple[str, dict]]:
    """The datasets and metrics of some parts of a config, each with its key."""
    for part in parts:
        loader, evaluator = cfg.get(f'{part}_dataloader'), cfg.get(f'{part}_evaluator')
        if loader:
            yield from datasets_in(loader.dataset, f'{part}_dataloader.dataset')
        for metric in evaluator if isinstance(evaluator, list) else [evaluator or {}]:
            yield f'{part}_evaluator', metric


def _is_remote(dataset: dict) -> bool:
    return bool(dataset.get('backend_args')) or '://' in (
        dataset.get('data_root') or ''
    )


def _downloads(dataset: dict, find_class: Callable[[str], type | None]) -> bool:
    kind = dataset.get('type')
    kind = find_class(kind) if isinstance(kind, str) else kind
    if kind is None:
        return False
    known = inspect.signature(kind).parameters.get('download')
    return known is not None and dataset.get('download', known.default) is True


def _missing_of(dataset: dict, key: str) -> Iterator[tuple[str, str]]:
    root = dataset.get('data_root') or ''
    if root and not os.path.isdir(root):
        yield f'{key}.data_root', root
        return
    prefix = dataset.get('data_prefix') or {}
    prefixes = {'': prefix} if isinstance(prefix, str) else prefix
    files = {'ann_file': dataset.get('ann_file')}
    files |= {f'data_prefix.{name}'.rstrip('.'): x for name, x in prefixes.items()}
    for name, file in files.items():
        # A prefix may also be how the names of files begin.
        if isinstance(file, str) and file:
            path = os.path.join(root, file)
            if not glob(escape(path.rstrip('/')) + '*'):
                yield f'{key}.{name}', path
