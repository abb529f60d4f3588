"""Trainings of 6 iterations, 3 an epoch, that get a signal."""

import multiprocessing
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from tiny_training import validation

from famkd.runtime.stop_signal_hook import StopSignalHook, _end_workers

EPOCHS = dict()
ITERATIONS = dict(
    train_cfg=dict(_delete_=True, by_epoch=False, max_iters=6, val_interval=2),
    train_dataloader=dict(sampler=dict(type='InfiniteSampler')),
)


class Kill(Hook):
    """Sends signals to this process in one iteration, counted from 1."""

    def __init__(self, iteration, *signals):
        self.iteration, self.signals = iteration, signals

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter + 1 == self.iteration:
            for number in self.signals:
                os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def handlers():
    """Those of a terminal; no handler of a training that is cut short stays."""
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    # A test run in the background ignores Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield {s: signal.getsignal(s) for s in before}
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ('number', 'code', 'loop'),
    [(signal.SIGINT, 130, EPOCHS), (signal.SIGTERM, 143, ITERATIONS)],
)
def test_leaves_a_checkpoint(number, code, loop, make_runner, handlers, capfd):
    runner = make_runner(StopSignalHook(), Kill(5, number), **loop)
    with pytest.raises(SystemExit) as stopped:
        runner.train()
    assert stopped.value.code == code
    path = Path(runner.work_dir, 'interrupted.pth')
    assert f'{number.name}: stops after this iteration' in capfd.readouterr().err
    saved = torch.load(path, weights_only=False)
    assert saved['meta']['iter'] == 5
    assert saved['meta']['epoch'] == (1 if loop is EPOCHS else 0)
    for name, value in runner.model.state_dict().items():
        assert torch.equal(saved['state_dict'][name], value), name
    assert signal.getsignal(number) is handlers[number]

    resumed = make_runner(StopSignalHook(), resume=True, **loop)
    resumed.call_hook('before_run')
    resumed.load_or_resume()
    assert resumed.iter == 5


def test_resumed_training_is_the_same(make_runner):
    exact = dict(custom_hooks=[dict(type='ExactResumeHook')])
    whole = make_runner(**exact)
    whole.train()
    hooks = StopSignalHook(), Kill(5, signal.SIGTERM)
    with pytest.raises(SystemExit):
        make_runner(*hooks, **exact).train()
    resumed = make_runner(**exact, resume=True)
    resumed.train()
    assert resumed.iter == 6
    for name, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name


def test_accumulated_gradients_come_first(make_runner):
    accumulation = {'optim_wrapper.accumulative_counts': 2}
    for iteration, done in ((1, 2), (2, 2)):
        hooks = StopSignalHook(), Kill(iteration, signal.SIGTERM)
        with pytest.raises(SystemExit):
            make_runner(*hooks, **accumulation).train()
        path = f'{make_runner().work_dir}/interrupted.pth'
        assert torch.load(path, weights_only=False)['meta']['iter'] == done


def test_what_is_left_of_it_is_removed_at_the_end(make_runner):
    hooks = StopSignalHook(), Kill(5, signal.SIGTERM)
    with pytest.raises(SystemExit):
        make_runner(*hooks).train()
    never = dict(type='CheckpointHook', save_last=False, interval=-1)
    runner = make_runner(
        StopSignalHook(), resume=True, default_hooks=dict(checkpoint=never)
    )
    runner.train()
    path = Path(runner.work_dir, 'interrupted.pth')
    assert path.exists()  # There is no other.
    make_runner(StopSignalHook(), resume=True).train()
    assert not path.exists()


def test_what_ignores_ctrl_c_goes_on_ignoring_it(make_runner):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    runner = make_runner(StopSignalHook(), Kill(5, signal.SIGINT))
    runner.train()
    assert runner.iter == 6
    assert not Path(runner.work_dir, 'interrupted.pth').exists()


def test_second_signal_stops_at_once(make_runner):
    runner = make_runner(StopSignalHook(), Kill(5, signal.SIGINT, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert not Path(runner.work_dir, 'interrupted.pth').exists()


@pytest.mark.parametrize(
    ('loop', 'iteration', 'done'),
    [
        # The last iteration of an epoch, or one before a validation: it comes first.
        (EPOCHS, 3, 3),
        (ITERATIONS, 4, 4),
        (EPOCHS, 4, 4),
        # What is complete is no interruption.
        (EPOCHS, 6, None),
    ],
)
def test_what_is_due_comes_first(loop, iteration, done, make_runner):
    hooks = StopSignalHook(), Kill(iteration, signal.SIGTERM)
    runner = make_runner(*hooks, **loop, **validation(4))
    if done is None:
        runner.train()
        return
    with pytest.raises(SystemExit):
        runner.train()
    meta = torch.load(f'{runner.work_dir}/interrupted.pth', weights_only=False)['meta']
    assert (meta['iter'], meta['epoch']) == (done, done // 3 if loop is EPOCHS else 0)
    # The one that is due has taken place, up to its metrics.
    assert 'val/score' in runner.message_hub.log_scalars


def test_without_epoch_end_or_validation(make_runner):
    # Nothing follows the third iteration but the fourth.
    runner = make_runner(StopSignalHook(), Kill(3, signal.SIGTERM))
    with pytest.raises(SystemExit):
        runner.train()
    meta = torch.load(f'{runner.work_dir}/interrupted.pth', weights_only=False)['meta']
    assert (meta['iter'], meta['epoch']) == (4, 1)


class SignalWorkers(Hook):
    """Signals the workers of the data loader, as a terminal or torchrun does."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 0:
            return  # The second worker may not have begun to work.
        self.workers = multiprocessing.active_children()
        assert len(self.workers) == 2
        for number in ('INT', 'TERM'):
            pids = [str(worker.pid) for worker in self.workers]
            subprocess.run(['kill', f'-{number}', *pids], check=True)
        time.sleep(0.1)
        assert all(worker.is_alive() for worker in self.workers)


def test_workers_go_on(make_runner, capfd):
    kills = SignalWorkers()
    loader = dict(num_workers=2, persistent_workers=True)
    runner = make_runner(StopSignalHook(), kills, train_dataloader=loader)
    runner.train()
    assert runner.iter == 6
    assert 'Traceback' not in capfd.readouterr().err
    # Those that still run when Python ends do so, too, and no error is made of it.
    pytorch = signal.getsignal(signal.SIGCHLD)
    _end_workers()
    for worker in kills.workers:
        worker.join(timeout=20)
        assert worker.exitcode == -signal.SIGKILL
    signal.signal(signal.SIGCHLD, pytorch)


def test_unknown_signal():
    with pytest.raises(ValueError, match="there is no signal 'SIGFOO'; name it as in"):
        StopSignalHook(signals=['SIGINT', 'SIGFOO'])
    with pytest.raises(ValueError, match='no program can handle SIGKILL'):
        StopSignalHook(signals=['SIGKILL'])
