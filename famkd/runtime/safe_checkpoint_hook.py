"""Checkpoints that survive a crash at any moment."""

import os
from difflib import get_close_matches
from inspect import signature
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from .atomic_backend import TEMPORARY
from .finite import non_finite
from .resumable import find_complete_checkpoint, save_resumable

REPLACED = 'replaced_best'  # names of best checkpoints that another one replaces


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, with a complete checkpoint at every moment.

    - A file is written by ``AtomicBackend``: it is there completely or not at all.
    - An old one, or the previous best, is removed after the new one is in place.
    - A validation that follows a checkpoint is noted in it, so that a resumed training
      does not repeat it.
    - Nothing that is not finite is written.
    - ``resume`` without a file takes the last checkpoint or, if that one is damaged,
      the newest that is not. So keep at least two (``max_keep_ckpts``).

    ``famkd.runtime.install()`` gives it the name ``'CheckpointHook'``, too.

    Args:
        *args: Arguments of MMEngine's ``CheckpointHook``.
        **kwargs: The same.

    Raises:
        TypeError: If there is no option of a name.
        ValueError: If ``filename_tmpl`` has no place for the number, or a folder.
        FloatingPointError: In the training, instead of saving what is not finite.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        known = [*signature(CheckpointHook).parameters][:-1]  # without **kwargs
        for name in self.args:  # MMEngine would fail at the first save.
            near = get_close_matches(name, known, n=1)
            hint = f'did you mean {near[0]}?' if near else f'it has {", ".join(known)}'
            raise TypeError(f'CheckpointHook has no option {name!r}; {hint}')
        if self.filename_tmpl.replace('{}', '', 1).count('{') or (
            '{}' not in self.filename_tmpl
        ):
            raise ValueError(
                f'filename_tmpl={self.filename_tmpl!r} of the CheckpointHook must have '
                "{} in it, once, for the number, as 'epoch_{}.pth' has"
            )
        if Path(self.filename_tmpl).name != self.filename_tmpl:
            raise ValueError(
                f'filename_tmpl={self.filename_tmpl!r} of the CheckpointHook must name '
                'no folder, in which files of others could be removed; set out_dir'
            )
        if self.backend_args is None and '://' not in str(self.out_dir):
            self.backend_args = dict(backend='atomic')
        self._given_dir = self.out_dir
        self._saved = None  # number in the name of the last checkpoint
        self._saves = 0

    def before_run(self, runner: Runner) -> None:
        if not runner._resume or runner._load_from is not None:
            return
        found = [None]
        if is_main_process():
            place = runner.work_dir, self._folder(runner)
            found = [find_complete_checkpoint(*place, self.filename_tmpl)]
        broadcast_object_list(found)
        (runner._load_from,) = found

    def before_train(self, runner: Runner) -> None:
        surplus = self._check_records(runner, self._folder(runner))
        super().before_train(runner)
        for name in surplus:
            self._remove(name)
        step = self._step(runner)
        if runner._resume and runner._load_from is not None:
            if Path(runner._load_from).name == self.filename_tmpl.format(step):
                self._saved = step
        if is_main_process():
            self._make_folder()
            # of a process that was killed
            for path in Path(self.out_dir).glob(f'*.pth{TEMPORARY}'):
                path.unlink()
            note = Path(runner.work_dir, f'last_checkpoint{TEMPORARY}')
            note.unlink(missing_ok=True)

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        saves = self._saves
        super().after_val_epoch(runner, metrics)
        step = self._step(runner)
        if step == self._saved and saves == self._saves:
            # as MMEngine does after a validation that is the best so far
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, step, meta)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuses to write what is not finite, and names files without their folder.

        A checkpoint that is moved or copied names its neighbours there.
        """
        info = checkpoint['message_hub']['runtime_info']
        for key in info:
            if key.startswith(('best_ckpt', 'last_ckpt')) and info[key]:
                info[key] = Path(info[key]).name
        if names := non_finite(checkpoint):
            raise FloatingPointError(
                f'the checkpoint after {checkpoint["meta"]["iter"]} iterations is not '
                f'saved: {", ".join(names[:3])}{", ..." if names[3:] else ""} '
                f'{"is" if len(names) == 1 else "are"} not finite. Go on from one of '
                f'those before it, in {self._folder(runner)}, with a lower learning '
                'rate or optim_wrapper.clip_grad'
            )

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        self._saved = step
        self._saves += 1
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
        )
        if self.max_keep_ckpts > 0:
            old = kept[: -self.max_keep_ckpts]
            self.keep_ckpt_ids = kept[-self.max_keep_ckpts :]
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
            for i in old:
                self._remove(self.filename_tmpl.format(i))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        # MMEngine removes the previous best before it saves the new one: for it,
        # there is none.
        if hasattr(self, 'best_ckpt_path'):  # one metric
            paths, keys = vars(self), ['best_ckpt_path']
        else:
            paths = getattr(self, 'best_ckpt_path_dict', {})
            keys = list(paths)
        previous = {key: paths[key] for key in keys}
        # Each checkpoint names them: what is left of them after a crash, `before_train`
        # of the resumed training removes.
        replaced = [Path(path).name for path in previous.values() if path]
        runner.message_hub.update_info(REPLACED, replaced)
        paths.update(dict.fromkeys(keys))
        super()._save_best_checkpoint(runner, metrics)
        for key, path in previous.items():
            if paths[key] is None:
                paths[key] = path
            elif path is not None and path != paths[key]:
                self._remove(Path(path).name)

    def _make_folder(self) -> None:
        """Makes the folder of the checkpoints, not only after hours, at the first."""
        if '://' in str(self.out_dir):
            return
        try:
            os.makedirs(self.out_dir, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f'default_hooks.checkpoint.out_dir={str(self._given_dir)!r}: '
                f'{self.out_dir} cannot be made ({error.strerror}); name another folder'
            ) from error

    def _folder(self, runner: Runner) -> str:
        """Where checkpoints go: MMEngine adds the name of the work folder."""
        if self._given_dir in (None, runner.work_dir):
            return runner.work_dir
        return os.path.join(self._given_dir, Path(runner.work_dir).name)

    def _check_records(self, runner: Runner, folder: str) -> list[str]:
        """Leaves of what a checkpoint says only what names files in the own folder.

        MMEngine removes whatever file or folder a checkpoint names as the previous
        best or as an old one: those of another training after ``--resume FILE`` or a
        copy of a work folder, or any that someone has written into it.

        Returns:
            list[str]: Names of the checkpoints that are to be removed.
        """
        hub = runner.message_hub
        own = runner._load_from is not None and os.path.realpath(
            os.path.dirname(runner._load_from)
        ) in (os.path.realpath(folder), os.path.realpath(runner.work_dir))
        kept, replaced = (
            records if own and isinstance(records, list) else []
            for records in (hub.pop_info('keep_ckpt_ids'), hub.pop_info(REPLACED))
        )
        kept = [i for i in kept if type(i) is int]
        surplus = [name for name in replaced if _is_best(name)]
        for key in [key for key in hub.runtime_info if key.startswith('best_ckpt')]:
            name = Path(str(hub.get_info(key))).name
            if own and _is_best(name):
                hub.update_info(key, os.path.join(folder, name))
                surplus = [other for other in surplus if other != name]
            else:
                hub.pop_info(key)
                hub.pop_info(key.replace('best_ckpt', 'best_score'))
        if self.max_keep_ckpts > 0:
            hub.update_info('keep_ckpt_ids', kept[-self.max_keep_ckpts :])
            old = kept[: -self.max_keep_ckpts]
            surplus += [self.filename_tmpl.format(i) for i in old]
        return surplus

    def _step(self, runner: Runner) -> int:
        return runner.epoch if self.by_epoch else runner.iter

    def _remove(self, name: str) -> None:
        path = self.file_backend.join_path(self.out_dir, name)
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)


def _is_best(name: object) -> bool:
    """Whether it is the name of a checkpoint of a best score, in whatever folder."""
    return (
        isinstance(name, str)
        and Path(name).name == name
        and name.startswith('best_')
        and name.endswith('.pth')
    )
