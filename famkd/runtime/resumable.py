"""Checkpoints to resume from: saving them, and finding the last that is complete."""

import logging
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import join_path
from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner, find_latest_checkpoint

from .archive import is_complete
from .atomic_backend import AtomicBackend
from .finite import non_finite
from .safe_load import load_checkpoint
from .unwrapped import unwrapped_model


def save_resumable(
    runner: Runner,
    filename: str,
    folder: str | None = None,
    backend_args: dict | None = None,
    **options,
) -> str:
    """Saves a checkpoint that ``--resume`` goes on from; every process calls it.

    First ``before_checkpoint`` of the hooks is called in every process, where
    MMEngine's ``before_save_checkpoint`` is called in the main one only. The file, and
    ``last_checkpoint``, which holds its name (its URL, if it has one), are there
    completely or not at all.

    Args:
        runner: Runner of the training.
        filename: Name of the file.
        folder: Folder of the file. Defaults to None (the work folder).
        backend_args: What writes the file. Defaults to None (``AtomicBackend``, or what
            MMEngine has for the URL of the folder).
        **options: Further arguments of ``Runner.save_checkpoint``, such as ``meta``.

    Returns:
        str: Path of the file.

    Raises:
        OSError: If it cannot be written, such as on a full disk.
    """
    folder = folder or runner.work_dir
    if backend_args is None and '://' not in str(folder):
        backend_args = dict(backend='atomic')
    runner.call_hook('before_checkpoint')
    runner.save_checkpoint(folder, filename, backend_args=backend_args, **options)
    path = join_path(folder, filename, backend_args=backend_args)
    if is_main_process():
        note = Path(runner.work_dir, 'last_checkpoint')
        AtomicBackend().put((path if '://' in path else filename).encode(), note)
    return path


def find_complete_checkpoint(work_dir: str, folder: str, template: str) -> str | None:
    """Finds the checkpoint to resume from, and reports those that are damaged.

    Only this training's own folders are looked at, whatever other folder
    ``last_checkpoint`` names: that of a copied work folder names the original.

    Args:
        work_dir: Work folder of the training.
        folder: Folder of its checkpoints, mostly the same.
        template: File names of its checkpoints, as in ``'epoch_{}.pth'``.

    Returns:
        str | None: The last checkpoint, as ``last_checkpoint`` names it; if that is
        damaged or missing, the one with the highest number below its own that is not;
        None if the folder has no ``last_checkpoint``. A URL in there is not checked.

    Raises:
        ValueError: If there are checkpoints, but none of those is complete.
    """
    last = find_latest_checkpoint(work_dir)
    if last is None or '://' in last:
        return last
    path = Path(folder, Path(last).name)
    if not path.exists():
        path = Path(work_dir, path.name)
    for candidate in chain([path], _before(path.name, Path(folder), template)):
        if is_complete(candidate):
            return str(candidate)
        print_log(
            f'{candidate} is {"damaged" if candidate.is_file() else "not there"}: the '
            'training goes on from the checkpoint before it',
            'current',
            logging.WARNING,
        )
    raise ValueError(
        f'resume: no checkpoint in {work_dir} is complete, of {path.name} and those '
        'before it; to train from the start, leave out --resume or remove '
        'last_checkpoint there'
    )


def check_resumable(runner: Runner, checkpoint: dict) -> None:
    """Refuses to resume from what would leave weights of the model as they are.

    MMEngine prints which are missing, and goes on. Entries that the model has no use
    for are listed in a warning, as is a missing optimizer.

    Args:
        runner: Runner of the training.
        checkpoint: What its file holds.

    Raises:
        ValueError: If the checkpoint is not one of a training, lacks weights of the
            model, has some of another shape or kind, or averaged ones where nothing
            is averaged: names them.
    """
    for key in ('meta', 'message_hub', 'state_dict'):
        if not isinstance(checkpoint, dict) or key not in checkpoint:
            raise ValueError(
                f'resume: the checkpoint has no {key}, so it is none of a training; to '
                'start from its weights, set load_from without resume'
            )
        if not isinstance(checkpoint[key], dict):
            raise ValueError(f'resume: {key} of the checkpoint is no dict')
    for key in ('epoch', 'iter'):
        done = checkpoint['meta'].get(key)
        if type(done) is not int or done < 0:
            raise ValueError(
                f'resume: meta.{key} of the checkpoint is {done!r}, no whole number of '
                'at least 0; give one of a training'
            )
    given = _kinds(checkpoint['state_dict'])
    wanted = _kinds(unwrapped_model(runner).state_dict())
    missing = [key for key in wanted if key not in given]
    differ = [
        f'{key} is {given[key]}, the model has {kind}'
        for key, kind in wanted.items()
        if key in given and given[key] != kind
    ]
    unused = [key for key in given if key not in wanted]
    if missing or differ:
        raise ValueError(
            f'resume: the checkpoint is of another model: {len(missing)} of its '
            f'{len(wanted)} entries are missing ({_first(missing)}), {len(differ)} '
            f'differ ({_first(differ)}), {len(unused)} are of no use '
            f'({_first(unused)}); to start from what fits, set load_from without resume'
        )
    if unused:
        runner.logger.warning(
            f'resume: {len(unused)} entries are of no use ({_first(unused)})'
        )
    if spoilt := non_finite(checkpoint):
        raise ValueError(
            f'resume: {_first(spoilt)} of the checkpoint are not finite; give an '
            'earlier one'
        )
    if 'ema_state_dict' in checkpoint and not _averages(runner):
        raise ValueError(
            'resume: the checkpoint has averaged weights in the place of those that '
            'are trained (ema_state_dict), and this training no EMAHook; add the one '
            'that it had to custom_hooks, or start from the averaged ones: set '
            'load_from without resume'
        )
    if 'optimizer' not in checkpoint:
        runner.logger.warning(
            'resume: the checkpoint has no state of the optimizer, as one of a best '
            'score: it starts anew'
        )


def _averages(runner: Runner) -> bool:
    return any(isinstance(hook, EMAHook) for hook in runner.hooks)


def check_start(runner: Runner, checkpoint: dict) -> None:
    """Refuses to start (``load_from``) from a checkpoint of which nothing fits.

    MMEngine prints what is missing, all of it, and goes on with random weights.

    Args:
        runner: Runner of the training.
        checkpoint: What its file holds.

    Raises:
        ValueError: If none of the weights of the model has a value there.
    """
    weights = checkpoint.get('state_dict', checkpoint)
    given, wanted = _kinds(weights), _kinds(unwrapped_model(runner).state_dict())
    if wanted and not given.items() & wanted.items():
        raise ValueError(
            f'load_from={runner._load_from!r}: none of its {len(given)} weights '
            f'({_first(list(given))}) fits the model ({_first(list(wanted))}); give a '
            'checkpoint of this model'
        )


def _kinds(weights: dict) -> dict[str, str]:
    """What must be the same in a state dict: the shape and the kind of numbers."""
    # that of modules, whatever it is, and counters of BN which old files lack
    others = ('_extra_state', 'num_batches_tracked')
    return {
        str(key).removeprefix('module.'): _kind(value)
        for key, value in weights.items()
        if not str(key).endswith(others)
    }


def _kind(value: object) -> str:
    if not isinstance(value, torch.Tensor):
        return f'a {type(value).__name__}'
    if value.is_floating_point():
        return f'{tuple(value.shape)}'
    numbers = 'complex' if value.is_complex() else 'integers'
    return f'{tuple(value.shape)} of {numbers}'


def _before(name: str, folder: Path, template: str) -> Iterator[Path]:
    """The checkpoints before one, the last first; later ones are of another run."""
    if not folder.is_dir():
        return
    start, end = template.split('{}')
    number = re.compile(rf'{re.escape(start)}(\d+){re.escape(end)}')
    found = {
        int(match[1]): file
        for file in folder.iterdir()
        if (match := number.fullmatch(file.name))
    }
    own = number.fullmatch(name)
    if own:
        numbers = sorted((i for i in found if i < int(own[1])), reverse=True)
        yield from (found[i] for i in numbers)
        return
    # One of a signal has no number: the others, by the time that is noted in them.
    yield from sorted(found.values(), key=_time, reverse=True)


def _time(path: Path) -> str:
    try:
        return load_checkpoint(path)['meta']['time']
    except Exception:  # a damaged one
        return ''


def _first(names: list[str]) -> str:
    return ', '.join(names[:3]) + (', ...' if names[3:] else '') or 'none'
