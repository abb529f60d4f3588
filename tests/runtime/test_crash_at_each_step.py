"""A process that dies before any of its changes of the disk: nothing is lost."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from same_checkpoints import check_same_trainings
from tiny_training import Scores, validation

from famkd.runtime import atomic_backend
from famkd.runtime.archive import is_complete

CHANGES = 'replace', 'rename', 'remove', 'unlink'
TRAINING = dict(
    **{'train_cfg.max_epochs': 2, 'train_dataloader.dataset.length': 4},
    default_hooks=dict(
        runtime=dict(type='RuntimeHook'),
        checkpoint=dict(
            type='CheckpointHook',
            interval=1,
            max_keep_ckpts=1,
            save_best='score',
            rule='greater',
        ),
    ),
    **validation(),
)


class WatchedDisk:
    """Copies a folder before each change of the disk: what a dead process leaves.

    A file is written by two changes, half by half: before the second, it is cut off in
    its middle.

    Args:
        patch: pytest's monkeypatch.
        folder: The folder.
        copies: Where the copies go.
    """

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, copies: Path) -> None:
        self.folder, self.copies = folder, copies
        for name in CHANGES:
            patch.setattr(os, name, self._watched(getattr(os, name)))
        patch.setattr(atomic_backend, 'open', self._open, raising=False)

    def _watched(self, function: Callable) -> Callable:
        def call(*args, **options):
            count = len(list(self.copies.iterdir()))
            shutil.copytree(self.folder, self.copies / f'{count}_{function.__name__}')
            return function(*args, **options)

        return call

    @contextmanager
    def _open(self, path: Path, mode: str) -> Iterator[SimpleNamespace]:
        with open(path, mode, buffering=0) as file:
            write = self._watched(file.write)

            def write_halves(content: bytes) -> None:
                middle = len(content) // 2
                write(content[:middle])
                write(content[middle:])

            yield SimpleNamespace(
                write=write_halves, flush=file.flush, fileno=file.fileno
            )


def test_each_step(make_runner, tmp_path, monkeypatch):
    best = Scores(1, 2)  # The second takes the place of the first.
    whole, copies = tmp_path / 'whole', tmp_path / 'copies'
    copies.mkdir()

    def train(folder: Path, **changes) -> None:
        make_runner(best, work_dir=str(folder), **{**TRAINING, **changes}).train()

    train(whole, **{'train_cfg.max_epochs': 1})
    with monkeypatch.context() as patch:
        WatchedDisk(patch, whole, copies)
        train(whole, resume=True)
    folders = sorted(copies.iterdir())
    assert len(folders) > 15
    assert any(list(folder.glob('*.tmp')) for folder in folders)
    for folder in folders:
        assert is_complete(folder / Path(folder, 'last_checkpoint').read_text())
        train(folder, resume=True)
        check_same_trainings(whole, folder)
        assert not list(folder.glob('*.tmp')), folder
