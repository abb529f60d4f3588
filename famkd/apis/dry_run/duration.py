"""Time and memory of a step, and time of the whole training."""

import os
import resource
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from famkd.apis.cli import usable_cores
from famkd.runtime.unwrapped import unwrapped_model

if TYPE_CHECKING:
    from mmengine.runner import Runner

STEPS, SECONDS = 10, 15  # at most, but at least one step


def check_time(runner: 'Runner', batches: Iterator) -> tuple[list[str], list[str]]:
    """Trains for some steps and tells what the whole training would take.

    The first step, which starts kernels, is not counted. The model is trained by
    them: this comes last.

    Args:
        runner: Runner of the training.
        batches: Its batches.

    Returns:
        tuple: Lines to print, and nothing that looks wrong.
    """
    import torch

    device = next(unwrapped_model(runner).parameters()).device
    on_gpu = device.type == 'cuda'
    runner.model.train()
    loading, computing = [], []
    start = time.perf_counter()
    while len(computing) <= STEPS:
        begin = time.perf_counter()
        data = next(batches)
        loaded = time.perf_counter()
        runner.model.train_step(data, optim_wrapper=runner.optim_wrapper)
        if on_gpu:
            torch.cuda.synchronize()
        loading.append(loaded - begin)
        computing.append(time.perf_counter() - loaded)
        if len(computing) > 1 and time.perf_counter() > start + SECONDS:
            break
    step, load = (sorted(x[1:])[len(x[1:]) // 2] for x in (computing, loading))
    iterations = runner.train_loop.max_iters
    hours = iterations * step / 3600
    if on_gpu:
        memory = torch.cuda.max_memory_allocated() / 2**30
        place = 'on the GPU'
    else:
        # Kilobytes, but bytes on macOS.
        unit = 2**30 if sys.platform == 'darwin' else 2**20
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        place = 'of this process at most'
    load_average, cores = os.getloadavg()[0], usable_cores()
    busy = [f'the machine is busy: {load_average:.0f} processes want {cores} cores']
    return [
        f'step: {step:.3g} s ({torch.get_num_threads()} threads, median of '
        f'{len(computing) - 1}); loading a batch in one process: {load:.3g} s',
        f'memory: {memory:.2f} GiB {place}',
        f'training: {iterations} steps, {hours:.3g} h, without validation',
        *(busy if load_average > 1.5 * cores else []),
    ], []
