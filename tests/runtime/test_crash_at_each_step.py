"""A crash before each change of the disk, one after another: nothing is lost."""

import os
import shutil
from pathlib import Path

import pytest
from same_checkpoints import check_same_trainings
from tiny_training import validation

from famkd.runtime.resumable import is_complete

FUNCTIONS = ('fsync', 'replace', 'remove', 'unlink')
TRAINING = dict(
    **{'train_cfg.max_epochs': 3, 'train_dataloader.dataset.length': 4},
    default_hooks=dict(
        runtime=dict(type='RuntimeHook'),
        checkpoint=dict(
            type='CheckpointHook',
            interval=1,
            max_keep_ckpts=1,
            save_best='score',
            rule='less',
        ),
    ),
    **validation(),
)


class Crash(BaseException):
    """The end of a process, which no handler of errors sees."""


class FaultyDisk:
    """Ends the training before one of its changes of the disk.

    Args:
        patch: pytest's monkeypatch.
        crash_at: Number of the change; None for none.
    """

    def __init__(self, patch: pytest.MonkeyPatch, crash_at: int | None = None) -> None:
        self.changes, self.crash_at = 0, crash_at
        for name in FUNCTIONS:
            patch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, function):
        def call(*args, **options):
            # A dead process changes nothing more: each later one fails, too.
            if self.crash_at is not None and self.changes >= self.crash_at:
                raise Crash
            self.changes += 1
            return function(*args, **options)

        return call


def test_each_step(make_runner, tmp_path, monkeypatch):
    start, whole = tmp_path / 'start', str(tmp_path / 'whole')
    make_runner(work_dir=str(start), **{**TRAINING, 'train_cfg.max_epochs': 1}).train()
    shutil.copytree(start, whole)
    with monkeypatch.context() as patch:
        disk = FaultyDisk(patch)
        make_runner(work_dir=whole, resume=True, **TRAINING).train()
    assert disk.changes > 20
    for step in range(disk.changes // 2 + 1):  # those of the second epoch
        folder = tmp_path / f'crash_{step}'
        changes = dict(work_dir=str(folder), **TRAINING)
        shutil.copytree(start, folder)
        with monkeypatch.context() as patch, pytest.raises(Crash):
            FaultyDisk(patch, crash_at=step)
            make_runner(**changes, resume=True).train()
        assert is_complete(folder / Path(folder, 'last_checkpoint').read_text())
        make_runner(**changes, resume=True).train()
        check_same_trainings(tmp_path / 'whole', folder)
