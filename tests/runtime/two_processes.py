"""Trainings with two processes, of which one has a fault or gets a signal."""

import json
import os
import signal
from pathlib import Path

import tiny_images  # noqa: F401
import torch.distributed as dist
from mmengine.hooks import Hook
from mmengine.runner import Runner

import famkd.models  # noqa: F401
from famkd.runtime import NonFiniteHook, StopSignalHook

NAN, INF = float('nan'), float('inf')


def infinite_loss(model):
    """Adds infinity to the student's loss, once: the gradients stay finite."""

    def add(module, inputs, losses):
        handle.remove()
        return {**losses, 'student.loss': losses['student.loss'] + INF}

    handle = model.register_forward_hook(add, prepend=True)


def nan_gradient(model):
    """Makes the gradient of one parameter NaN, once."""

    def spoil(gradient):
        handle.remove()
        return NAN * gradient

    handle = model.distiller.stages[1]['head'].fam.filter.register_hook(spoil)


def signal_to_itself(model):
    os.kill(os.getpid(), signal.SIGTERM)


# Name: the process with the fault, the fault, and the hook that deals with it.
TRAININGS = {
    'loss': (1, infinite_loss, NonFiniteHook()),
    'skipped': (0, nan_gradient, NonFiniteHook(action='skip')),
    'signal': (1, signal_to_itself, StopSignalHook()),
}


class FaultOfOne(Hook):
    """Lets one of the processes have a fault in the second iteration."""

    def __init__(self, rank, fault):
        self.rank, self.fault = rank, fault

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 1 and runner.rank == self.rank:
            self.fault(runner.model.module)


def run(rank, config, folder):
    """What one process does: writes down how its trainings ended.

    Args:
        rank (int): Number of the process.
        config (mmengine.Config): A training, without hooks.
        folder (Path): Gets ``{rank}.json``, and a work folder of each training.
    """
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
    store = dist.FileStore(str(folder / 'store'), 2)
    dist.init_process_group('gloo', store=store, rank=rank, world_size=2)
    ends = {}
    for name, (faulty, fault, hook) in TRAININGS.items():
        config.work_dir = str(folder / name)
        config.experiment_name = name
        runner = Runner.from_cfg(config)
        runner.register_hook(hook)
        runner.register_hook(FaultOfOne(faulty, fault))
        try:
            runner.train()
            end = None
        except (FloatingPointError, SystemExit) as error:
            end = str(error)
        finite = all(p.isfinite().all().item() for p in runner.model.parameters())
        sums = [p.sum().item() for p in runner.model.parameters()]
        ends[name] = dict(end=end, iter=runner.iter, finite=finite, sums=sums)
    Path(folder, f'{rank}.json').write_text(json.dumps(ends))
    dist.destroy_process_group()
