"""Trainings that stop and go on end as those that do not stop, bit for bit."""

import copy
import random

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from same_checkpoints import check_same_trainings
from tiny_training import validation

from famkd.runtime.resumable import save_resumable

CHECKPOINT = dict(
    type='CheckpointHook',
    interval=1,
    max_keep_ckpts=2,
    save_best='score',
    rule='greater',
)
ITERATIONS = dict(
    train_cfg=dict(_delete_=True, by_epoch=False, max_iters=10, val_interval=3),
    train_dataloader=dict(sampler=dict(_delete_=True, type='InfiniteSampler')),
    default_hooks=dict(checkpoint=dict(by_epoch=False, interval=3)),
    custom_hooks=[
        dict(type='EMAHook', momentum=0.2),
        dict(type='ExactResumeHook'),
    ],
)
WORKERS = dict(train_dataloader=dict(num_workers=2, persistent_workers=True))


class Stop(Exception):
    """What ends a training in a test."""


class StopAt(Hook):
    """Ends the training at a stage of an iteration."""

    def __init__(self, stage, iteration):
        setattr(self, stage, self.stop)
        self.iteration = iteration

    def stop(self, runner, **kwargs):
        if runner.iter >= self.iteration:
            raise Stop


class Noise(Hook):
    """Changes a weight by what every generator of random numbers gives."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        drawn = random.random() + np.random.rand() + torch.rand(()).item()
        with torch.no_grad():
            next(runner.model.parameters()).add_(drawn / 100)


class SaveAt(Hook):
    """Saves in the middle of an epoch, as on a signal, and ends the training."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            meta = dict(epoch=runner.epoch, iter=self.iteration)
            save_resumable(runner, 'interrupted.pth', meta=meta)
            raise Stop


@pytest.fixture
def train(make_config, tmp_path):
    """Function (name, *hooks, changes=()): trains in a folder of that name.

    4 epochs of 3 iterations, with images and weights changed at random, EMA, learning
    rates of every iteration, and a validation after every second epoch.
    """

    def train(name, *hooks, changes=()):
        config = make_config(
            work_dir=str(tmp_path / name),
            train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=2),
            train_dataloader=dict(dataset=dict(noise=True)),
            param_scheduler=[dict(type='LinearLR', end=10, by_epoch=False)],
            default_hooks=dict(checkpoint=dict(**CHECKPOINT)),
            custom_hooks=[
                dict(type='EMAHook', momentum=0.2),
                dict(type='ExactResumeHook'),
            ],
            **validation(),
        )
        for change in changes:
            config.merge_from_dict(copy.deepcopy(change))  # it takes keys out
        runner = Runner.from_cfg(config)
        for hook in (Noise(), *hooks):
            runner.register_hook(hook)
        try:
            runner.train()
        finally:
            for loop in (runner.train_loop, runner.val_loop):
                end_workers(loop.dataloader)
        return runner

    return train


def end_workers(loader):
    """Ends them now: found by the garbage collector, each takes PyTorch 5 seconds."""
    if loader._iterator is not None:
        loader._iterator._shutdown_workers()


RESUME = dict(resume=True, randomness=dict(seed=None))


@pytest.mark.parametrize(
    ('changes', 'stop'),
    [
        ([], StopAt('before_train_iter', 7)),  # after the second epoch
        ([WORKERS], StopAt('before_train_iter', 7)),
        ([], StopAt('before_val', 6)),  # saved, but not validated
        ([], SaveAt(5)),  # in the middle of the second epoch
        ([WORKERS], SaveAt(5)),
        ([ITERATIONS], StopAt('after_train_iter', 4)),
        ([ITERATIONS, WORKERS], StopAt('after_train_iter', 7)),
        ([ITERATIONS], StopAt('before_val', 6)),
    ],
    ids=[
        'epochs',
        'epochs, workers',
        'before validation',
        'within an epoch',
        'within an epoch, workers',
        'iterations',
        'iterations, workers',
        'iterations, before validation',
    ],
)
def test_resumed_training_is_the_same(changes, stop, train, tmp_path):
    whole = train('whole', changes=changes)
    with pytest.raises(Stop):
        train('parts', stop, changes=changes)
    resumed = train('parts', changes=[*changes, RESUME])
    assert resumed.iter == whole.iter
    (tmp_path / 'parts/interrupted.pth').unlink(missing_ok=True)
    names = check_same_trainings(tmp_path / 'whole', tmp_path / 'parts')
    assert len(names) == 3  # two, and the best


def test_without_the_hook_it_is_not_the_same(train, tmp_path, capsys):
    """What the tests above compare does depend on what the hook restores."""
    ema = dict(type='EMAHook', momentum=0.2)
    changes = [dict(custom_hooks=[ema])]
    train('whole', changes=changes)
    with pytest.raises(Stop):
        train('parts', StopAt('before_train_iter', 7), changes=changes)
    late = dict(custom_hooks=[ema, dict(type='ExactResumeHook')])
    train('parts', changes=[late, RESUME])
    assert 'has the random states of 0 processes, this' in ''.join(capsys.readouterr())
    with pytest.raises(AssertionError, match='state_dict'):
        check_same_trainings(tmp_path / 'whole', tmp_path / 'parts')
