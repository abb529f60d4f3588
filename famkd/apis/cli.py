"""What train.py and test.py share: arguments, the config, processes, precision."""

import argparse
import difflib
import inspect
import os
from pathlib import Path

from mmengine.config import Config, DictAction

from famkd.apis.paths import resolve_paths
from famkd.runtime.processes import join_processes
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints


class SplitAction(DictAction):
    """``DictAction`` with an error that names the argument that is not KEY=VALUE."""

    def __call__(self, parser, namespace, values, option_string=None):
        for pair in values:
            if '=' not in pair:
                parser.error(f'{option_string}: {pair!r} is not KEY=VALUE')
        super().__call__(parser, namespace, values, option_string)


def add_common_arguments(parser):
    """Add the options that training and testing have in common.

    Args:
        parser (argparse.ArgumentParser): The parser to add them to.
    """
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
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=SplitAction,
        default={},
        metavar='KEY=VALUE',
        help='set entries of the config, after all other options, as in '
        'train_dataloader.batch_size=32 train_dataloader.dataset.pipeline.0.padding=2 '
        'key="[a,b]" key="[(a,b),(c,d)]" (quoted, no white space)',
    )
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


def load_config(parser, args):
    """Read ``args.config`` and apply what train and test have in common.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        args (argparse.Namespace): The parsed arguments.

    Returns:
        mmengine.Config: The config, without ``--cfg-options`` so far.
    """
    trust_checkpoints(args.trust_checkpoint)
    if not Path(args.config).is_file():
        parser.error(f'config: there is no file {args.config!r}')
    import famkd.registry  # noqa: F401 (lets a config inherit from 'famkd::...')

    cfg = Config.fromfile(args.config)

    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('./work_dirs', Path(args.config).stem)

    cfg.launcher = args.launcher
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return cfg


def set_dataloader_defaults(cfg, args):
    """Fill in the dataloader options that a config leaves to the tool.

    Args:
        cfg (mmengine.Config): The config, changed in place.
        args (argparse.Namespace): The parsed arguments.
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


def merge_cfg_options(parser, cfg, options):
    """Apply ``--cfg-options``.

    A key that a component does not know is reported by that component, but nothing
    reads an unknown key at the top level: a slip there would go unnoticed.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        cfg (mmengine.Config): The config, changed in place.
        options (dict): Dotted key -> value.
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
            near = difflib.get_close_matches(top, known, n=3)
            hint = f'did you mean {" or ".join(near)}?' if near else 'see the config'
            parser.error(f'--cfg-options: {key}: the config has no {top!r}; {hint}')
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError) as error:
        parser.error(f'--cfg-options: {", ".join(options)}: {error.args[0]}')
    try:
        if cfg.filename:
            resolve_paths(cfg.get('model', {}), cfg.filename)
    except FileNotFoundError as error:
        parser.error(str(error))


def use_mixed_precision(cfg):
    """Train in mixed precision: float16 on a GPU, bfloat16 on a CPU.

    Args:
        cfg (mmengine.Config): The config, changed in place.
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


def build_runner(parser, cfg):
    """Make the runner that the config describes, on the devices that there are.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        cfg (mmengine.Config): The complete config.

    Returns:
        mmengine.runner.Runner: The runner, ready to train or to test.
    """
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    if cfg.launcher != 'none':
        join_processes(parser, cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
