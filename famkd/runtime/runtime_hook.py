"""One hook that switches on all others of the runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook, SyncBuffersHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from .average_losses_hook import AverageLossesHook
from .changed_options import report_changed_options
from .checkpoint_structure import check_structure
from .exact_resume_hook import ExactResumeHook, example_state
from .lock import lock_folder
from .non_finite_hook import NonFiniteHook
from .resumable import check_resumable, check_start
from .same_start_hook import SameStartHook
from .stop_signal_hook import StopSignalHook


@HOOKS.register_module()
class RuntimeHook(Hook):
    """Makes a training stop cleanly, resume exactly and agree over its processes.

    One line of a config, ``default_hooks = dict(runtime=dict(type='RuntimeHook'))``,
    adds :class:`NonFiniteHook`, :class:`StopSignalHook`, :class:`ExactResumeHook`,
    :class:`SameStartHook`, :class:`AverageLossesHook` and MMEngine's
    ``SyncBuffersHook``. One that the config has already stays as it is there. While
    it trains, no other training with this hook can use the work folder; one that
    somebody removes is made anew, so that the training goes on.

    Args:
        nonfinite: What happens where a loss or a gradient is not finite: ``'stop'``
            or ``'skip'``. Defaults to ``'stop'``.
        max_skips: Skipped iterations in a row after which ``'skip'`` stops, too.
            Defaults to 10.
        stop_signals: Names of the signals after which the training saves a checkpoint
            and ends. Defaults to ('SIGINT', 'SIGTERM').

    Raises:
        ValueError: If an option is none of these.
        RuntimeError: In the training, if another one uses the work folder.
    """

    # Before all others: they are added behind it in the runner's list of hooks, which
    # the runner goes through when it calls `before_run`, and so called there, too.
    priority = 'HIGHEST'

    def __init__(
        self,
        nonfinite: str = 'stop',
        max_skips: int = 10,
        stop_signals: Sequence[str] = ('SIGINT', 'SIGTERM'),
    ) -> None:
        self._lock = None
        self._folders = []
        self.hooks = [
            AverageLossesHook(),
            NonFiniteHook(nonfinite, max_skips),
            SyncBuffersHook(),
            SameStartHook(),
            StopSignalHook(stop_signals),
            ExactResumeHook(),
        ]

    def before_run(self, runner: Runner) -> None:
        """Adds the hooks to the runner."""
        present = {type(hook) for hook in runner.hooks}
        for hook in self.hooks:
            if type(hook) not in present:
                # Averaged statistics are those that EMAHook (NORMAL) then copies.
                early = isinstance(hook, SyncBuffersHook)
                runner.register_hook(hook, 'ABOVE_NORMAL' if early else None)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Checks that a checkpoint to start or to resume from is of this model."""
        if runner._resume:
            check_resumable(runner, checkpoint)
            check_structure(runner, checkpoint, example_state())
            report_changed_options(runner, checkpoint)
        else:
            check_start(runner, checkpoint)

    def before_train(self, runner: Runner) -> None:
        """Takes the work folder; an error in all processes if another has it."""
        problem = [None]
        if runner.rank == 0:
            try:
                self._lock = lock_folder(runner.work_dir)
            except RuntimeError as error:
                problem = [error]
        broadcast_object_list(problem)
        if problem[0] is not None:
            raise problem[0]
        if runner.rank == 0:
            logs = Path(runner.log_dir)
            self._folders = [x for x in (logs, logs / 'vis_data') if x.is_dir()]

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Sees to it that there is a place for the logs."""
        self._keep_folder(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Sees to it that there is a place for the logs."""
        self._keep_folder(runner)

    def _keep_folder(self, runner: Runner) -> None:
        missing = [folder for folder in self._folders if not folder.is_dir()]
        if not missing:
            return
        for folder in missing:
            folder.mkdir(parents=True)
        self._lock.close()
        self._lock = lock_folder(runner.work_dir)
        runner.logger.warning(
            f'{missing[0]} was removed, and is made anew; checkpoints that were '
            f'removed with it are lost until the next one is saved in {runner.work_dir}'
        )

    def after_train(self, runner: Runner) -> None:
        """Gives the work folder back."""
        if self._lock is not None:
            self._lock.close()
