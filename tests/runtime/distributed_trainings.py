"""What one of two processes does in the trainings of test_distributed.py."""

import os
import shutil
import signal
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tiny_training import config_of, training, validation

from famkd.runtime.processes import join_processes

NAN, INF = float('nan'), float('inf')


def infinite_loss(model):
    """Adds infinity to a loss, once: the gradients stay finite."""

    def add(module, inputs, losses):
        handle.remove()
        return {**losses, 'loss_label': losses['loss_label'] + INF}

    handle = model.register_forward_hook(add, prepend=True)


def nan_gradient(model):
    """Makes the gradient of one parameter NaN, once."""

    def spoil(gradient):
        handle.remove()
        return NAN * gradient

    handle = model.label.weight.register_hook(spoil)


def signal_to_itself(model):
    os.kill(os.getpid(), signal.SIGTERM)


# Name of the training: the process that has a fault, the fault, options of the runtime.
FAULTS = {
    'loss': (1, infinite_loss, {}),
    'gradient': (0, nan_gradient, dict(nonfinite='skip')),
    'signal': (1, signal_to_itself, {}),
}


class FaultOfOne(Hook):
    """Lets one of the processes have a fault in the second iteration."""

    def __init__(self, rank, fault):
        self.rank, self.fault = rank, fault

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 1 and runner.rank == self.rank:
            self.fault(runner.model.module)


class Record(Hook):
    """Keeps the weights at the start, the images and the losses of this process."""

    def before_train(self, runner):
        self.start = state(runner)
        self.images, self.losses = [], []
        model = runner.model.module
        parse = model.parse_losses

        def parse_losses(losses):
            total, log = parse(losses)
            self.losses.append(total.item())
            return total, log

        model.parse_losses = parse_losses

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == 0:
            self.images += [image.sum().item() for image in data_batch['inputs']]


class Stop(Exception):
    pass


class StopBeforeValidation(Hook):
    """Ends the training where a checkpoint is saved, and a validation is due."""

    def before_val(self, runner):
        if runner.iter == 6:
            if runner.rank == 0:
                folder = Path(runner.work_dir)
                shutil.copy(folder / 'iter_6.pth', folder.parent / 'at_the_stop.pth')
            raise Stop


def state(runner):
    return {k: v.clone() for k, v in runner.model.module.state_dict().items()}


def config(folder, name, runtime=(), **changes):
    """A training with batches of 2 in each process, and the runtime of any recipe."""
    config = config_of(training(work_dir=f'{folder}/{name}', launcher='pytorch'))
    hooks = dict(runtime=dict(type='RuntimeHook', **dict(runtime)))
    config.merge_from_dict(
        dict(
            experiment_name=f'{name}_{len(changes)}',
            train_dataloader=dict(batch_size=2),
            default_hooks=hooks,
        )
    )
    config.merge_from_dict(changes)
    return config


def iterations(folder, name, **changes):
    """A training by iterations, in which each process has random numbers of its own."""
    checkpoint = dict(by_epoch=False, interval=3, save_best='score', rule='greater')
    return config(
        folder,
        name,
        train_cfg=dict(_delete_=True, by_epoch=False, max_iters=8, val_interval=3),
        train_dataloader=dict(
            dataset=dict(length=10, noise=True),
            sampler=dict(_delete_=True, type='InfiniteSampler'),
        ),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', **checkpoint)),
        **validation(length=10),
        **changes,
    )


def run(folder):
    """Trains again and again.

    Returns:
        dict: What is found in this process.
    """
    seed = dict(seed=0, diff_rank_seed=True)
    own = config(folder, 'own', randomness=seed)
    join_processes(ArgumentParser(), own)

    def train(config, *hooks):
        config.model_wrapper_cfg = own.model_wrapper_cfg
        runner = Runner.from_cfg(config)
        for hook in hooks:
            runner.register_hook(hook)
        try:
            runner.train()
        except (FloatingPointError, SystemExit, Stop, ValueError) as error:
            return runner, str(error)
        return runner, None

    record = Record()
    runner, _ = train(own, record)
    found = dict(
        start=record.start,
        images=record.images,
        losses=record.losses,
        logged=runner.message_hub.get_scalar('train/loss').data[0].tolist(),
        end=state(runner),
    )
    found['whole'] = state(train(iterations(folder, 'whole', randomness=seed))[0])
    train(iterations(folder, 'parts', randomness=seed), StopBeforeValidation())
    new_seed = dict(seed=None, diff_rank_seed=True)
    resumed = iterations(folder, 'parts', randomness=new_seed, resume=True)
    found['resumed'] = state(train(resumed)[0])

    for name, (faulty, fault, options) in FAULTS.items():
        runner, end = train(
            config(folder, name, options, randomness=seed), FaultOfOne(faulty, fault)
        )
        found[name] = dict(end=end, iter=runner.iter, state=state(runner))
    unequal = config(
        folder,
        'unequal',
        train_dataloader=dict(dataset=dict(length=5), sampler=dict(round_up=False)),
    )
    found['unequal'] = train(unequal)[1]
    # As a worker of a data loader starts; after that, signals are ignored.
    runner.train_dataloader.worker_init_fn(0)
    found['random'] = np.random.rand()
    return found
