"""Checkpoints that survive a crash at any moment."""

from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from famkd.runtime.atomic_backend import TEMPORARY
from famkd.runtime.resumable import find_complete_checkpoint, save_resumable


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, with a complete checkpoint at every moment.

    - A file is written by ``AtomicBackend``: it is there completely or not at all.
    - An old one, or the previous best, is removed after the new one is in place.
    - ``resume`` without a file takes the last checkpoint or, if that one is damaged,
      the newest that is not. So keep at least two (``max_keep_ckpts``).

    Args:
        *args: Arguments of ``CheckpointHook``.
        **kwargs: The same.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.backend_args is None and '://' not in str(self.out_dir):
            self.backend_args = dict(backend='atomic')

    def before_run(self, runner: Runner) -> None:
        if not runner._resume or runner._load_from is not None:
            return
        found = [None]
        if is_main_process():
            pattern = self.filename_tmpl.format('*')
            found = [find_complete_checkpoint(runner.work_dir, pattern)]
        broadcast_object_list(found)
        (runner._load_from,) = found

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if is_main_process():
            # of a process that was killed
            for path in Path(self.out_dir).glob(f'*.pth{TEMPORARY}'):
                path.unlink()

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        if self.max_keep_ckpts > 0:
            # The checkpoint names those that will be removed, too: what is left of
            # them after a crash, `before_train` of the resumed training removes.
            kept = [*(i for i in self.keep_ckpt_ids if i != step), step]
            runner.message_hub.update_info('keep_ckpt_ids', kept)
        save_resumable(
            runner,
            filename,
            self.out_dir,
            file_client_args=self.file_client_args,
            backend_args=self.backend_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            **self.args,
        )
        if self.max_keep_ckpts > 0:
            old, self.keep_ckpt_ids = (
                kept[: -self.max_keep_ckpts],
                kept[-self.max_keep_ckpts :],
            )
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
            for i in old:
                name = self.filename_tmpl.format(i)
                self._remove(self.file_backend.join_path(self.out_dir, name))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        # MMEngine removes the previous best before it saves the new one.
        backend, self.file_backend = self.file_backend, _Noting(self.file_backend)
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            removed, self.file_backend = self.file_backend.removed, backend
        best = getattr(self, 'best_ckpt_path_dict', {}).values()
        for path in set(removed) - {getattr(self, 'best_ckpt_path', None), *best}:
            self._remove(path)

    def _remove(self, path: str) -> None:
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)


class _Noting:
    """A file backend that does not remove files, but notes them in ``removed``."""

    def __init__(self, backend) -> None:
        self.backend = backend
        self.removed = []

    def __getattr__(self, name: str):
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        self.removed.append(path)
