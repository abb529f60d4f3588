"""Several processes: how each joins the others, and what it says when one is lost."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config


def join_processes(parser: ArgumentParser, cfg: 'Config') -> None:
    """Prepares this process, one of several, for MMEngine's runner.

    Args:
        parser: Reports the errors.
        cfg: The complete config, changed in place.
    """
    import torch

    optimizer = cfg.get('optim_wrapper', {}).get('optimizer', {})
    if optimizer.get('type') == 'ZeroRedundancyOptimizer':
        # All processes would have to save it together; MMEngine lets the first alone.
        parser.error(
            'optim_wrapper.optimizer: a checkpoint of ZeroRedundancyOptimizer waits '
            'forever; use the optimizer in its optimizer_type'
        )
    cfg.setdefault('env_cfg', {})
    cfg.env_cfg.setdefault('dist_cfg', {})
    if int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)):
        _register_restart_scheme()
        cfg.env_cfg.dist_cfg.init_method = 'restart://'
    if not torch.cuda.is_available():
        _join_cpu_processes(parser, cfg)
    elif cfg.launcher == 'pytorch':
        rank, gpus = int(os.environ['LOCAL_RANK']), torch.cuda.device_count()
        if rank >= gpus:
            parser.error(f'process {rank} has no GPU: this machine has {gpus}')


def _register_restart_scheme() -> None:
    # The processes find each other by what they write into a store of torchrun. After
    # a restart it still holds the addresses of the dead ones, so each attempt gets a
    # part of the store for itself.
    import torch.distributed as dist

    def meet(url: str, **kwargs) -> Iterator[tuple]:
        store, rank, world_size = next(dist.rendezvous('env://', **kwargs))
        attempt = f'attempt {os.environ["TORCHELASTIC_RESTART_COUNT"]}'
        yield dist.PrefixStore(attempt, store), rank, world_size

    dist.register_rendezvous_handler('restart', meet)


def _join_cpu_processes(parser: ArgumentParser, cfg: 'Config') -> None:
    # MMEngine gives every process a GPU when it starts them and when it wraps the
    # model. It does the first only where no process group exists yet, the second
    # only where the config does not name a wrapper.
    import torch.distributed as dist

    if cfg.launcher != 'pytorch':
        parser.error(f'--launcher {cfg.launcher} needs GPUs: use pytorch on CPUs')
    if cfg.get('sync_bn'):
        parser.error(f'sync_bn={cfg.sync_bn!r} needs GPUs: leave it out on CPUs')
    dist_cfg = cfg.env_cfg.dist_cfg
    dist.init_process_group(
        'gloo',
        init_method=dist_cfg.get('init_method'),
        # that of NCCL; gloo's is half an hour
        timeout=timedelta(seconds=dist_cfg.get('timeout', 600)),
    )
    cfg.setdefault(
        'model_wrapper_cfg',
        dict(
            type='MMDistributedDataParallel',
            device_ids=None,
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        ),
    )


@contextmanager
def lost_processes_reported() -> Iterator[None]:
    """Context in which the loss of another process ends this one with one clear line.

    A process that waits for one that is gone gets an error of the communication
    library: at once where the connection was closed, otherwise after
    ``env_cfg.dist_cfg.timeout`` seconds.

    Raises:
        SystemExit: Instead of such an error.
    """
    try:
        yield
    except RuntimeError as error:
        import torch.distributed as dist

        # gloo's errors have no type of their own, but name the source file.
        if not isinstance(error, dist.DistError) and '/gloo/' not in str(error):
            raise
        reason = str(error).splitlines()[0].rpartition('] ')[2]
        raise SystemExit(
            f'Process {os.environ["RANK"]} of {os.environ["WORLD_SIZE"]} stops, '
            f'because another one does not answer: {reason}. That process was ended, '
            'or its machine or the network is gone; its own messages say more. To go '
            'on from the last checkpoint, start the same command again on all '
            'machines, with --resume.'
        ) from error
