"""Runs a function of a test in two processes, as torchrun does on the CPU."""

import os
import socket

import torch
import torch.multiprocessing as mp


def in_two_processes(function, argument, folder):
    """Call ``function(argument)`` in two new processes, side by side.

    Args:
        function (Callable): Function of a module, which both processes import.
        argument (object): What it gets; of types that can be pickled.
        folder (Path): Where the results pass through.

    Returns:
        list: What it returned in process 0 and in process 1.
    """
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.spawn(_run, (function, argument, folder, port), nprocs=2)
    return [torch.load(folder / f'{i}.pt', weights_only=False) for i in range(2)]


def _run(rank, function, argument, folder, port):
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        CUDA_VISIBLE_DEVICES='',
    )
    torch.set_num_threads(1)
    torch.save(function(argument), folder / f'{rank}.pt')
