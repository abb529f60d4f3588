"""Train the model that a config describes; a distillation config trains the student.

    python tools/train.py CONFIG [--work-dir DIR] [--resume [CKPT]] [--amp] ...
    python tools/train.py CONFIG --check

Runs on the CPU or one GPU; tools/dist_train.sh starts it on several.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.allocator import keep_freed_memory
from famkd.apis.cli import (
    add_common_arguments,
    build_runner,
    check_config,
    load_config,
    resolve_model_paths,
    set_dataloader_defaults,
    set_thread_count,
    use_mixed_precision,
)
from famkd.apis.config_checks.data import check_data
from famkd.apis.dry_run.training import check_training
from famkd.names import type_name
from famkd.runtime import switch_on
from famkd.runtime.processes import lost_processes_reported

if TYPE_CHECKING:
    from mmengine.config import Config


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Train a model', usage='%(prog)s CONFIG [options]'
    )
    parser.add_argument('config', metavar='CONFIG', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CKPT',
        help='go on from a checkpoint; without CKPT, or with "auto": from the latest '
        'one in the work folder, or from the start where there is none',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate during training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the batch size over all processes, relative '
        'to auto_scale_lr.base_batch_size in the config',
    )
    parser.add_argument(
        '--channels-last',
        action='store_true',
        help='convolutions with the channels innermost, which are faster in mixed '
        'precision (--amp)',
    )
    parser.add_argument(
        '--fast',
        action='store_true',
        help='--amp --channels-last: the fastest on GPUs, and on CPUs that compute in '
        'bfloat16',
    )
    parser.add_argument(
        '--no-persistent-workers',
        action='store_true',
        help='start the dataloader workers anew every epoch',
    )
    parser.add_argument(
        '--eval-teacher',
        action='store_true',
        help='evaluate the teacher of a distillation once before training',
    )
    parser.add_argument(
        '--check',
        action='store_true',
        help='do not train: print the metric of the teacher, the pairs of stages, the '
        'losses and gradients of the first step, and the time of the training, and '
        'what looks wrong (exit status 1)',
    )
    add_common_arguments(parser)
    return parser


def add_hook(cfg: 'Config', name: str) -> None:
    """Add one of famkd's hooks, which the config itself may not import.

    Args:
        cfg: The config, changed in place.
        name: The hook's class.
    """
    import famkd.engine  # noqa: F401 (registers it)

    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type=name)]


def merge_args(
    parser: argparse.ArgumentParser, cfg: 'Config', args: argparse.Namespace
) -> None:
    """Put the command line's options into the config.

    Args:
        parser: Reports the errors.
        cfg: The config, changed in place.
        args: The parsed arguments.
    """
    for key in ('train_cfg', 'train_dataloader', 'optim_wrapper'):
        if not isinstance(cfg.get(key), dict):
            parser.error(f'{key} is missing, or no dict: {args.config} trains nothing')
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.fast:
        args.amp = args.channels_last = True
    if args.amp or type_name(cfg.optim_wrapper) == 'AmpOptimWrapper':
        use_mixed_precision(cfg)  # before the check of its options
    check_config(parser, cfg, ['train', 'val'])
    resume_after_restart(parser, cfg, args)
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
        if cfg.load_from and '://' not in cfg.load_from:
            if not os.path.isfile(cfg.load_from):
                parser.error(f'--resume: there is no file {cfg.load_from!r}')
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            parser.error(
                f'--auto-scale-lr: {args.config} has no auto_scale_lr.base_batch_size, '
                'the batch size that its learning rate is meant for'
            )
        cfg.auto_scale_lr.enable = True
    if args.channels_last:
        add_hook(cfg, 'ChannelsLastHook')
    if args.eval_teacher:
        if 'teacher' not in cfg.model:
            parser.error(f'--eval-teacher: the model of {args.config} has no teacher')
        add_hook(cfg, 'EvalTeacherHook')
    if cfg.get('resume') and 'teacher' in cfg.model:
        add_hook(cfg, 'OldCheckpointHook')
    set_dataloader_defaults(cfg, args)
    start = cfg.get('load_from')
    if start and '://' not in start and not os.path.isfile(start):
        parser.error(f'load_from={start!r}: there is no such file')
    resolve_model_paths(parser, cfg)
    switch_on(cfg)


def resume_after_restart(
    parser: argparse.ArgumentParser, cfg: 'Config', args: argparse.Namespace
) -> None:
    """Go on from the latest checkpoint where torchrun has restarted the processes.

    Args:
        parser: Reports the errors.
        cfg: The config, with its work folder.
        args: The parsed arguments; ``resume`` may be changed.
    """
    from mmengine.runner import find_latest_checkpoint

    if args.check or int(os.environ.get('TORCHELASTIC_MAX_RESTARTS', 0)) == 0:
        return
    is_restarted = int(os.environ['TORCHELASTIC_RESTART_COUNT']) > 0
    latest = find_latest_checkpoint(cfg.work_dir)
    if latest and is_restarted:
        args.resume = 'auto'
    elif latest and args.resume is None:
        parser.error(
            f'MAX_RESTARTS: {cfg.work_dir} has checkpoints of another training, from '
            'which a restarted process would go on; choose another --work-dir, or '
            'continue that training with --resume'
        )
    elif latest and args.resume != 'auto' and os.environ.get('RANK', '0') == '0':
        # Until this training saves, a restart begins with the file again.
        note = Path(cfg.work_dir, 'last_checkpoint')
        if Path(args.resume).resolve().parent == note.resolve().parent:
            note.write_text(args.resume)
        else:
            note.rename(note.with_name('last_checkpoint.before'))


def main(argv: list[str] | None = None) -> None:
    """Train; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    set_thread_count()
    keep_freed_memory()
    cfg = load_config(parser, args)
    merge_args(parser, cfg, args)
    check_data(parser, cfg, ['train'] if args.no_validate else ['train', 'val'])
    if args.check:
        sys.exit(not check_training(parser, cfg))
    # For the tables of results: the config that is kept says how it was run.
    cfg.command = shlex.join(['python', *sys.argv])
    with lost_processes_reported():
        runner = build_runner(parser, cfg)
        from famkd.engine.hooks import FirstBatchHook

        runner.register_hook(FirstBatchHook())
        runner.train()


if __name__ == '__main__':
    main()
