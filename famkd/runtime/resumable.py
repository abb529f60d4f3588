"""Checkpoints to resume from: saving them, and finding the last that is complete."""

import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import join_path
from mmengine.logging import print_log
from mmengine.runner import Runner, find_latest_checkpoint

from .atomic_backend import AtomicBackend


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
    ``last_checkpoint``, which names it, are there completely or not at all.

    Args:
        runner: Runner of the training.
        filename: Name of the file.
        folder: Folder of the file. Defaults to None (the work folder).
        backend_args: What writes the file, if not ``AtomicBackend``.
        **options: Further arguments of ``Runner.save_checkpoint``, such as ``meta``.

    Returns:
        str: Path of the file.

    Raises:
        OSError: If it cannot be written, such as on a full disk.
    """
    folder = folder or runner.work_dir
    backend_args = backend_args or dict(backend='atomic')
    runner.call_hook('before_checkpoint')
    runner.save_checkpoint(folder, filename, backend_args=backend_args, **options)
    path = join_path(folder, filename, backend_args=backend_args)
    if is_main_process():
        note = Path(runner.work_dir, 'last_checkpoint')
        AtomicBackend().put(path.encode(), note)
    return path


def find_complete_checkpoint(work_dir: str, pattern: str) -> str | None:
    """Finds the checkpoint to resume from, and reports those that are damaged.

    Args:
        work_dir: Work folder of the training.
        pattern: File names of its checkpoints, as in ``'epoch_*.pth'``.

    Returns:
        str | None: The last checkpoint, as ``last_checkpoint`` names it; if that is
        damaged or missing the newest one that is not; None if the folder has no
        ``last_checkpoint``. What is not on this machine is not checked.

    Raises:
        ValueError: If there are checkpoints, but all of them are damaged.
    """
    last = find_latest_checkpoint(work_dir)
    if last is None or '://' in last:
        return last
    for path in _candidates(Path(last), Path(work_dir), pattern):
        if is_complete(path):
            return str(path)
        print_log(
            f'{path} is {"damaged" if path.is_file() else "not there"}: the training '
            'goes on from the checkpoint before it',
            'current',
            logging.WARNING,
        )
    raise ValueError(
        f'resume: no checkpoint in {work_dir} is complete; to train from the start, '
        'leave out --resume or remove last_checkpoint there'
    )


def is_complete(path: Path) -> bool:
    """Whether a file is a checkpoint whose checksums are right."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # a damaged file can raise any
        return False


def _candidates(last: Path, work_dir: Path, pattern: str) -> Iterator[Path]:
    yield last
    found = {*last.parent.glob(pattern), *work_dir.glob(pattern)} - {last}
    yield from sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)
