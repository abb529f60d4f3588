"""A resumed training that is the same as one that never stopped."""

import random

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import IterBasedTrainLoop, Runner

from .numbered_batches import number_batches
from .unwrapped import unwrapped_model

KEY = 'exact_resume'  # where the state is in a checkpoint


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Saves, and restores on resume, what MMEngine leaves out.

    - The states of the random number generators of Python, NumPy and PyTorch (CPU and
      GPU), of every process.
    - The seed of the sampler, which is drawn anew where the config has none.
    - The place in the data, also in the middle of an epoch, see
      :mod:`famkd.runtime.numbered_batches`. Nothing before it is loaded.
    - Buffers, such as BN's statistics, of the processes that have other ones than the
      main process.
    - A validation that was due at the checkpoint, but not finished: it is made up for,
      so that the best checkpoint is not missed.

    The number of processes must be that of the checkpoint; if not, or if the checkpoint
    was made without this hook, a warning says so. ``save_resumable`` makes the
    checkpoints, as ``SafeCheckpointHook`` does.
    """

    priority = 'LOWEST'  # after all that draws random numbers or saves

    def __init__(self) -> None:
        self._batches = None
        self._epoch = self._epoch_start = 0
        self._validated_at = None  # iteration
        self._processes = None  # state of each of them
        self._resumed = None

    def before_train(self, runner: Runner) -> None:
        """Numbers the batches; in a resumed training, restores the rest."""
        self._number_batches(runner)
        if self._resumed is None:
            return
        rank, world_size = get_dist_info()
        processes = self._resumed.get('processes', [])
        if len(processes) != world_size:
            runner.logger.warning(
                f'The checkpoint has the random states of {len(processes)} processes, '
                f'this training has {world_size}: it goes on with other random numbers'
            )
            return
        state = processes[rank]
        if self._batches is not None:
            self._batches.skip(self._resumed['batches'])
            if state['sampler_seed'] is not None:
                self._batches.sampler.seed = state['sampler_seed']
        buffers = dict(unwrapped_model(runner).named_buffers())
        for name, value in state['buffers'].items():
            buffers[name].copy_(value)
        _set_random_state(state['random'])
        if not self._resumed['validated'] and _validation_is_due(runner):
            runner.logger.info('Making up for the validation at the checkpoint')
            runner.val_loop.run()

    def before_train_epoch(self, runner: Runner) -> None:
        """Notes where the epoch starts."""
        self._epoch = runner.epoch
        skipped = self._batches.skipped if self._batches is not None else 0
        self._epoch_start = runner.iter - skipped

    def before_val(self, runner: Runner) -> None:
        """Notes where the validation takes place."""
        self._validated_at = runner.iter

    def before_checkpoint(self, runner: Runner) -> None:
        """Collects the states of all processes."""
        buffers = unwrapped_model(runner).named_buffers()
        self._processes = all_gather_object(
            dict(
                random=_random_state(),
                sampler_seed=getattr(
                    getattr(self._batches, 'sampler', None), 'seed', None
                ),
                buffers={name: value.cpu() for name, value in buffers},
            )
        )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Puts what was collected into a checkpoint to resume from."""
        if self._processes is None or 'optimizer' not in checkpoint:
            return
        own = self._processes[0]['buffers']
        for state in self._processes:
            state['buffers'] = {
                name: value
                for name, value in state['buffers'].items()
                if not torch.equal(value, own[name])
            }
        meta = checkpoint['meta']
        in_epoch = meta['epoch'] == self._epoch and not _counts_iterations(runner)
        checkpoint[KEY] = dict(
            processes=self._processes,
            # that the unfinished epoch has had
            batches=meta['iter'] - self._epoch_start if in_epoch else 0,
            validated=meta['iter'] == self._validated_at,
        )
        self._processes = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keeps the state for the start of the training."""
        if runner._resume:
            self._resumed = checkpoint.get(KEY, {})

    def _number_batches(self, runner: Runner) -> None:
        loop = runner.train_loop
        for loader in (loop.dataloader, getattr(runner.val_loop, 'dataloader', None)):
            if loader is not None:
                # When its workers start, a loader draws a number: not from the
                # generator of the training, since they start again on resume.
                loader.generator = torch.Generator()
        rank, _ = get_dist_info()
        self._batches = number_batches(loop.dataloader, (runner.seed, rank), loop.iter)
        if self._batches is None or not _counts_iterations(runner):
            return
        if hasattr(self._batches.sampler, 'skip'):  # an endless one
            loop.dataloader_iterator.skip_iter = self._batches.skip
        else:
            self._batches.number = 0  # MMEngine goes through all batches again.


def example_state() -> dict:
    """What the entry of a checkpoint looks like, of any number of processes."""
    # A checkpoint of a training on a CPU may go on on a GPU.
    random_state = {k: v for k, v in _random_state().items() if k != 'cuda'}
    process = dict(random=random_state, sampler_seed=None, buffers={})
    return dict(processes=[process, ...], batches=0, validated=False)


def _counts_iterations(runner: Runner) -> bool:
    return isinstance(runner.train_loop, IterBasedTrainLoop)


def _validation_is_due(runner: Runner) -> bool:
    """Whether the training loop would have validated where the checkpoint was made."""
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    done, last = loop.iter, loop.max_iters
    if not _counts_iterations(runner):
        if loop.iter != loop.epoch * len(loop.dataloader):
            return False
        done, last = loop.epoch, loop.max_epochs
    loop._decide_current_val_interval()
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == last)


def _random_state() -> dict:
    """The states of this process' generators, in types that weights_only reads."""
    _, keys, *rest = np.random.get_state()
    state = dict(
        python=random.getstate(),
        numpy=(torch.from_numpy(keys.astype(np.int64)), *rest),
        torch=torch.get_rng_state(),
    )
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def _set_random_state(state: dict) -> None:
    # The tensors may have been loaded onto the GPU.
    random.setstate(state['python'])
    keys, *rest = state['numpy']
    np.random.set_state(('MT19937', keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
