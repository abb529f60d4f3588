"""A look at a training before it begins."""

import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from mmengine.config import Config
    from mmengine.runner import Runner

Report = tuple[list[str], list[str]]  # lines to print, and what looks wrong


def check_training(parser: 'ArgumentParser', cfg: 'Config') -> bool:
    """Prints what a training would be like, and what looks wrong with it.

    The data and their normalisation, the pairs of stages, the teacher's metric, the
    losses of the first step with their gradients, and the time of it all. Nothing is
    left behind: it works in a folder of its own.

    Args:
        parser: Reports errors.
        cfg: The complete config of the training; changed.

    Returns:
        bool: Whether nothing looks wrong.
    """
    from famkd.apis.dry_run.agreement import check_data_agree
    from famkd.apis.dry_run.duration import check_time
    from famkd.apis.dry_run.losses import check_losses, first_step
    from famkd.apis.dry_run.stages import check_stages
    from famkd.apis.dry_run.teacher import check_teacher

    warnings = []

    def show(title: str, report: Report) -> None:
        lines, wrong = report
        if lines:
            print('\n'.join(['', f'## {title}', *lines]), flush=True)
        warnings.extend(wrong)

    with tempfile.TemporaryDirectory() as folder:
        runner = ready_runner(parser, cfg, folder)
        show('Data', check_data_agree(runner))
        batches = training_batches(runner)
        step = first_step(runner, batches)
        show('Stages', check_stages(step))
        show('Losses of the first step', check_losses(step))
        show('Teacher', check_teacher(runner))
        show('Time', check_time(runner, batches))
    print('\n## What looks wrong')
    print('\n'.join(f'- {text}' for text in warnings) or 'nothing')
    return not warnings


def training_batches(runner: 'Runner') -> Iterator:
    """The batches of the training, over and over.

    There is one iterator for all that look at them: where a sampler is endless, as
    those of detectors are, another one would find nothing left.

    Raises:
        ValueError: If there is none, see :class:`FirstBatchHook`.
    """
    from famkd.engine.hooks import FirstBatchHook

    FirstBatchHook().before_train(runner)
    while True:
        yield from runner.train_loop.dataloader


def ready_runner(parser: 'ArgumentParser', cfg: 'Config', folder: str) -> 'Runner':
    """A runner whose model and optimizer are as before the first step of a training.

    Args:
        parser: Reports errors.
        cfg: The complete config, changed in place.
        folder: Its work folder.
    """
    from famkd.apis.cli import build_runner
    from famkd.engine.hooks import ChannelsLastHook

    cfg.work_dir = folder
    cfg.log_level = 'WARNING'
    cfg.resume = False
    if cfg.get('visualizer'):
        cfg.visualizer.vis_backends = []
    for name in ('train_dataloader', 'val_dataloader'):
        if cfg.get(name):
            cfg[name].update(num_workers=0, persistent_workers=False)
            cfg[name].pop('prefetch_factor', None)
    runner = build_runner(parser, cfg)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner._init_model_weights()
    runner.load_or_resume()
    for hook in runner.hooks:
        if isinstance(hook, ChannelsLastHook):
            hook.before_train(runner)
    return runner
