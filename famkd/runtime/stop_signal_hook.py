"""A training that is told to stop leaves a checkpoint."""

import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import IterBasedTrainLoop, Runner

from .resumable import save_resumable
from .unwrapped import optim_wrappers

INTERRUPTED = 'interrupted.pth'


@HOOKS.register_module()
class StopSignalHook(Hook):
    """Saves a checkpoint and exits after the iteration in which a signal comes.

    The signals are Ctrl-C and what Slurm, torchrun and most others send before they
    kill. The second one acts as it does without this hook: it stops at once. An epoch
    that is complete, and a validation that is due or runs, are finished first, so that
    a resumed training need not make up for them; so are gradients that are accumulated
    over several iterations, which no checkpoint holds. The checkpoint is
    ``interrupted.pth``, from which ``--resume`` goes on; the exit code is 128 plus the
    number of the signal, as a shell reports it. Where one of several processes
    gets a signal, all stop after the same iteration. A training that comes to its end
    removes the file, unless there is no other to resume from.

    The workers of the data loaders, which a terminal or torchrun signals too, go on.

    Args:
        signals: Names of the signals. Defaults to ('SIGINT', 'SIGTERM').

    Raises:
        ValueError: If there is no signal of a name, or none that can be handled.
    """

    # After what an iteration or a validation changes and saves.
    priority = 'LOWEST'

    def __init__(self, signals: Sequence[str] = ('SIGINT', 'SIGTERM')) -> None:
        names = signal.Signals.__members__
        for name in signals:
            if name not in names:
                raise ValueError(
                    f'signals: there is no signal {name!r}; name it as in SIGUSR1'
                )
            if name in ('SIGKILL', 'SIGSTOP'):
                raise ValueError(f'signals: no program can handle {name}; leave it out')
        self.signals = [names[name] for name in signals]
        self._received = 0
        self._previous = {}

    def before_train(self, runner: Runner) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # Python lets no other thread handle signals.
        for number in self.signals:
            # What runs in the background ignores Ctrl-C.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._receive)
        # Run before Python asks the workers to end.
        multiprocessing.util.Finalize(None, _end_workers, exitpriority=0)
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None:
                loader = loop.dataloader
                loader.worker_init_fn = partial(
                    _ignore_signals, self.signals, loader.worker_init_fn
                )

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        # without accumulated gradients, which would be lost
        is_step = all(
            getattr(wrapper, 'should_update', lambda: True)()
            for wrapper in optim_wrappers(runner)
        )
        if is_step and not self._ends_something(runner, batch_idx):
            self._stop_if_asked(runner, runner.iter + 1)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        # In a training that goes on: not in a test, nor after the last validation.
        if self._previous and runner.iter < runner.max_iters:
            self._stop_if_asked(runner, runner.iter)

    def after_train(self, runner: Runner) -> None:
        self._restore()
        note = Path(runner.work_dir, 'last_checkpoint')
        if is_main_process() and note.is_file() and note.read_text() != INTERRUPTED:
            note.with_name(INTERRUPTED).unlink(missing_ok=True)

    def _ends_something(self, runner: Runner, batch_idx: int) -> bool:
        """Whether an epoch or the training ends, or a validation follows."""
        loop = runner.train_loop
        if not isinstance(loop, IterBasedTrainLoop):
            return self.end_of_epoch(loop.dataloader, batch_idx)
        done = runner.iter + 1
        validates = runner.val_loop is not None and done >= loop.val_begin
        return done == loop.max_iters or (validates and done % loop.val_interval == 0)

    def _receive(self, number: int, frame: object) -> None:
        self._received = number
        self._restore()
        if is_main_process():
            # Not by print, which the signal may have interrupted.
            text = f'{signal.Signals(number).name}: stops after this iteration, with a '
            os.write(2, f'{text}checkpoint; once more: at once\n'.encode())

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop_if_asked(self, runner: Runner, iterations: int) -> None:
        asked = torch.tensor(self._received)
        all_reduce(asked, op='max')
        if not asked:
            return
        name = signal.Signals(asked.item()).name
        meta = dict(epoch=runner.epoch, iter=iterations)
        path = save_resumable(runner, INTERRUPTED, meta=meta)
        runner.logger.info(
            f'{name}: stopped after {iterations} iterations; --resume goes on from '
            f'{path}'
        )
        barrier()  # The first process that ends takes the others along.
        runner.call_hook('after_run')  # ends what logs
        sys.exit(128 + asked.item())


def _ignore_signals(
    signals: Sequence[signal.Signals],
    init: Callable[[int], object] | None,
    worker_id: int,
) -> None:
    """Starts a worker of a data loader that goes on where the training is signalled.

    A terminal, torchrun and Slurm signal the workers, too. PyTorch's would die of it,
    and the training of that.
    """
    for number in {*signals, signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    if init is not None:
        init(worker_id)


def _end_workers() -> None:
    """Ends, with the training, the workers that an error has left running.

    Python would wait for them forever: it asks by a SIGTERM, which they ignore.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # PyTorch calls their end an error.
    for worker in multiprocessing.active_children():
        if worker.daemon:
            worker.kill()
