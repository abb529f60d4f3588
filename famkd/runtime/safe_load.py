"""Reading checkpoints without running the code that a file may hold.

A checkpoint is a pickle, and a pickle can name any function to be called while it is
read. PyTorch can read weights only; MMEngine tries that, but reads a file that asks for
more without any check. Here such a file is refused, unless it is trusted.
``famkd.runtime.install()`` puts :func:`read_file` and :func:`~.downloads.read_url` in
the place of MMEngine's own readers, which all of its loaders (files, URLs, model zoos)
use.
"""

import argparse
import logging
import re
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from .archive import check_archive
from .literal_config import parse_config

_trusted = False


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--trust-checkpoint``, to be passed on to :func:`trust_checkpoints`."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='read checkpoints that hold more than weights and records, and pickled '
        'annotations, too: they can run code; only for files of people you trust',
    )


def trust_checkpoints(trust: bool = True) -> None:
    """Says whether checkpoints may run code from now on, in this process.

    Args:
        trust: Whether they may. Defaults to True; at the start they may not.
    """
    global _trusted
    _trusted = trust


def is_trusted() -> bool:
    """Whether :func:`trust_checkpoints` lets files run code."""
    return _trusted


def load_checkpoint(
    source: str | Path, logger: str = 'silent', mmap: bool = False
) -> dict:
    """Reads a checkpoint from wherever MMEngine can, tensors on the CPU.

    Args:
        source: Path, URL, or name in a model zoo (``torchvision://...``).
        logger: Where MMEngine says what it reads; 'current' for the log of the
            training. Defaults to 'silent'.
        mmap: Whether a file is mapped into memory, see :func:`read_file`; a download
            always is. Defaults to False.

    Returns:
        dict: What the file holds.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: As :func:`read_file` and :func:`~.downloads.read_url` do.
    """
    from mmengine.logging import print_log
    from mmengine.runner import CheckpointLoader

    from .entry import install

    if mmap and '://' not in str(source):
        print_log(f'Loads checkpoint from path: {source}', logger)
        return read_file(source, mmap=True)
    install()
    return CheckpointLoader.load_checkpoint(str(source), 'cpu', logger)


def read_file(
    file: str | Path | BinaryIO, map_location: Any = 'cpu', mmap: bool = False
) -> Any:
    """Reads a file of PyTorch or MMEngine, weights and MMEngine's records only.

    A file of the name ``*.safetensors`` is read as such: it can hold nothing else.

    A config in it (``meta.cfg``, ``meta.config``) is left out unless it is a list of
    plain values, since MMEngine would run it.

    Args:
        file: The file.
        map_location: Where the tensors go, as ``torch.load`` takes it. Defaults to
            'cpu'.
        mmap: Whether the file is mapped into memory instead of read, where its format
            allows it: processes share what they use of it. For a file that nobody
            writes to. Defaults to False.

    Returns:
        Any: What the file holds, mostly a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no checkpoint, is not complete, or asks for objects other
            than those that PyTorch and MMEngine put there: it names them.
    """
    import torch

    from .allowed_globals import allowed_globals

    if str(file).endswith('.safetensors'):
        return _read_safetensors(file)
    with torch.serialization.safe_globals(allowed_globals()):
        try:
            is_zip = zipfile.is_zipfile(file)  # today's format
            if is_zip:
                check_archive(file)
            if not isinstance(file, (str, Path)):
                file.seek(0)
            content = torch.load(
                file,
                map_location,
                weights_only=not _trusted,
                mmap=mmap and is_zip,
            )
        except FileNotFoundError:
            raise
        except Exception as error:  # a file that is no checkpoint can raise any
            wanted = '' if _trusted else _refused_globals(file, error)
            if wanted:
                raise ValueError(
                    f'{file} is refused: it asks for {wanted}, which weights do not '
                    'need and which can run code; if you trust whoever made the file, '
                    'read it with --trust-checkpoint'
                ) from None
            # PyTorch would have the reader try again without weights_only.
            _, _, reason = str(error).rpartition('WeightsUnpickler error: ')
            reason = f'{type(error).__name__}: {reason.strip()}'.splitlines()[0]
            raise ValueError(
                f'{file} cannot be read as a checkpoint ({reason}); is the file '
                'complete?'
            ) from error
    if not _trusted:
        _drop_programs(content, file)
    return content


def _read_safetensors(file: str | Path) -> dict:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise ImportError(
            f'{file}: `pip install safetensors` to read it, or give a file of PyTorch'
        ) from None
    try:
        return load_file(file)
    except SafetensorError as error:
        raise ValueError(
            f'{file} cannot be read as safetensors ({error}); is the file complete?'
        ) from error


def _drop_programs(content: Any, file: str | Path | BinaryIO) -> None:
    """Takes out configs that are no plain values: MMEngine would run them."""
    meta = content.get('meta') if isinstance(content, dict) else None
    for key in ('config', 'cfg') if isinstance(meta, dict) else ():
        if key not in meta:
            continue
        reason = 'it is no text, or names other files'
        try:
            if isinstance(meta[key], str) and '_base_' not in parse_config(meta[key]):
                continue
        except ValueError as error:
            reason = str(error)
        from mmengine.logging import print_log

        del meta[key]
        print_log(
            f'{file}: meta.{key} is left out ({reason}); a config is a program, and '
            'only run with --trust-checkpoint',
            'current',
            logging.WARNING,
        )


def _refused_globals(file: str | Path | BinaryIO, error: Exception) -> str:
    """Names of what a file asks for and does not get; '' if that is not the error."""
    import torch

    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(file)
    except Exception:  # no file of today's format: then the error names the first
        names = []
    return ', '.join(sorted(names) or re.findall(r'GLOBAL (\S+)', str(error))[:1])
