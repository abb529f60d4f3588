"""Shared by train.py and test.py: arguments, the config, processes, precision."""

import argparse
import inspect
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from famkd.apis.option_values import OptionAction
from famkd.apis.optional import import_problem, not_installed
from famkd.apis.paths import config_file, resolve_paths
from famkd.names import suggestion
from famkd.runtime.processes import join_processes
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints

# MMEngine is imported where it is used: --help takes no second.
if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner


def add_cfg_options_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options KEY=VALUE ...``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='set entries of the config, before all other options, as in '
        'train_dataloader.batch_size=32 train_dataloader.dataset.pipeline.0.padding=2 '
        'key="[a,b]" key="[(a,b),(c,d)]" key="[dict(type=\'EMAHook\')]" (quoted, no '
        'white space)',
    )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and testing have in common."""
    parser.add_argument(
        '--work-dir',
        help='folder of logs and models; default: work_dir in the config, or '
        './work_dirs/NAME_OF_CONFIG',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='automatic mixed precision: float16 on a GPU, bfloat16 on a CPU',
    )
    parser.add_argument(
        '--no-pin-memory',
        action='store_true',
        help='turn pin_memory off in the dataloaders; default: on where there is a '
        'GPU, unless the config says otherwise',
    )
    add_cfg_options_argument(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes, if there are several',
    )
    add_trust_argument(parser)
    # torch.distributed.launch passes it, torchrun sets the variable instead.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )


def set_thread_count() -> None:
    """Give each process its share of the cores, unless ``OMP_NUM_THREADS`` is set.

    torchrun, and so ``dist_train.sh``, sets it for several processes. A process
    counts the cores of the machine, not those that it may use.
    """
    if 'OMP_NUM_THREADS' in os.environ:
        return
    import torch

    cores = usable_cores()
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    threads = max(1, cores // processes)
    os.environ['OMP_NUM_THREADS'] = str(threads)  # for processes that this one starts
    torch.set_num_threads(threads)
    print(
        f'OMP_NUM_THREADS is not set: {threads} threads for each process here '
        f'({cores} cores, {processes} processes)'
    )


def usable_cores() -> int:
    """How many cores this process may use: its affinity, and the container's limit."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
    limit = Path('/sys/fs/cgroup/cpu.max')
    if limit.is_file():
        quota, period = limit.read_text().split()
        if quota != 'max':
            cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def load_config(parser: argparse.ArgumentParser, args: argparse.Namespace) -> 'Config':
    """Read ``args.config`` and apply what train and test have in common.

    Args:
        parser: Reports the errors.
        args: The parsed arguments.

    Returns:
        Config: The config, with ``--cfg-options``: what follows from an entry, such as
        the checkpoints of the work folder, follows from the one that counts.
    """
    trust_checkpoints(args.trust_checkpoint)
    from mmengine.config import Config

    path = find_config(parser, args.config)
    try:
        cfg = Config.fromfile(path)
    except ImportError as error:  # of mmdet or mmseg, which are optional, too
        parser.error(f'{args.config}: {import_problem(error)}')
    if problem := not_installed(cfg.get('default_scope')):
        parser.error(f'{args.config}: {problem}')
    merge_cfg_options(parser, cfg, args.cfg_options)

    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('./work_dirs', Path(args.config).stem)

    cfg.launcher = args.launcher
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return cfg


def find_config(parser: argparse.ArgumentParser, path: str) -> str:
    """Finds the file of a config, see :func:`config_file`.

    Args:
        parser: Reports the error, that there is none.
        path: Path of a file, or ``'package::path'``.
    """
    try:
        return config_file(path)
    except FileNotFoundError as error:
        parser.error(f'config: {error}')


def set_dataloader_defaults(cfg: 'Config', args: argparse.Namespace) -> None:
    """Fill in the dataloader options that a config leaves to the tool.

    Args:
        cfg: The config, changed in place.
        args: The parsed arguments.
    """
    import torch

    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        if not loader:
            continue
        loader.setdefault('pin_memory', torch.cuda.is_available())
        loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
        if cfg.get('default_scope') == 'mmpretrain':
            # As mmpretrain's own tools: workers then hand over one tensor per batch,
            # not one per image.
            loader.setdefault('collate_fn', dict(type='default_collate'))
        if args.no_pin_memory:
            loader.pin_memory = False
        if getattr(args, 'no_persistent_workers', False):
            loader.persistent_workers = False


def merge_cfg_options(
    parser: argparse.ArgumentParser, cfg: 'Config', options: dict[str, Any]
) -> None:
    """Apply ``--cfg-options``.

    A key that a component does not know is reported by that component, but nothing
    reads an unknown key at the top level: a slip there would go unnoticed.

    Args:
        parser: Reports the errors.
        cfg: The config, changed in place.
        options: Dotted key -> value.
    """
    from mmengine.runner import Runner

    known = {
        *cfg,
        *inspect.signature(Runner).parameters,
        'activation_checkpointing',
        'compile',
        'custom_imports',
        'efficient_conv_bn_eval',
        'find_unused_parameters',
        'model_wrapper_cfg',
        'runner_type',
        'sync_bn',
    }
    for key in options:
        top = key.partition('.')[0]
        if top not in known:
            hint = suggestion(top, known, otherwise='see the config')
            parser.error(f'--cfg-options: {key}: the config has no {top!r}; {hint}')
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError) as error:
        parser.error(f'--cfg-options: {", ".join(options)}: {error.args[0]}')


def check_config(
    parser: argparse.ArgumentParser, cfg: 'Config', parts: Sequence[str]
) -> None:
    """End the tool where a config has a mistake, see :func:`config_problems`.

    One is a work folder that is a file, or below one.

    Args:
        parser: Reports the error: key, value and what to do.
        cfg: The complete config.
        parts: What is to be run: 'train', 'val', 'test'.
    """
    from famkd.apis.config_checks.problems import config_problems

    for problem in config_problems(cfg, parts):
        parser.error(problem)
    folder = Path(cfg.get('work_dir') or '.')
    for place in (folder, *folder.parents):
        if place.is_file():
            parser.error(f'work_dir={str(folder)!r}: {place} is a file, no folder')


def resolve_model_paths(parser: argparse.ArgumentParser, cfg: 'Config') -> None:
    """Find the files that the model names, see :func:`resolve_paths`.

    Args:
        parser: Reports the errors.
        cfg: The complete config, changed in place.
    """
    try:
        if cfg.filename:
            resolve_paths(cfg.get('model', {}), cfg.filename)
    except FileNotFoundError as error:
        parser.error(str(error))


def use_mixed_precision(cfg: 'Config') -> None:
    """Train in mixed precision: float16 on a GPU, bfloat16 on a CPU.

    Args:
        cfg: The config, changed in place.
    """
    from mmengine.device import get_device

    if get_device() == 'cpu':
        import famkd.engine  # noqa: F401 (registers the wrapper)

        cfg.optim_wrapper.type = 'CPUAmpOptimWrapper'
        for option in ('loss_scale', 'dtype'):
            cfg.optim_wrapper.pop(option, None)
    else:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def build_runner(parser: argparse.ArgumentParser, cfg: 'Config') -> 'Runner':
    """Make the runner that the config describes, on the devices that there are.

    Args:
        parser: Reports the errors.
        cfg: The complete config.

    Returns:
        Runner: The runner, ready to train or to test.
    """
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    if cfg.launcher != 'none':
        join_processes(parser, cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
