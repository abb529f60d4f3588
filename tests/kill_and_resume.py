"""Kills a training again and again, and compares the end with one that was left alone.

    python tests/kill_and_resume.py [--kills 30] [--seed 0] [--folder FOLDER]

A tiny FAM-KD training by tools/train.py's own steps, with a data-loading worker, EMA,
validation, and a checkpoint after every epoch, is killed by SIGKILL at random moments.
Each time it goes on with ``--resume auto``. After every kill there must be a complete
checkpoint, at most one epoch old; at the end weights, optimizer, EMA, schedules, random
states and best checkpoint must be those of the other training, bit for bit.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ITERATIONS = 4  # of an epoch
CONFIG = """
_base_ = {base!r}
small = dict(
    backbone=dict(depth=8, stem_channels=4, base_channels=4), head=dict(in_channels=16)
)
model = dict(
    architecture=dict(**small),
    teacher=dict(**small),
    teacher_ckpt=None,
    allow_random_teacher=True,
)
train_dataloader = dict(
    batch_size=10, num_workers=1, dataset=dict(num_per_class={iterations})
)
val_dataloader = dict(dataset=dict(num_per_class=2))
train_cfg = dict(max_epochs={epochs}, val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1, save_best='auto'))
custom_hooks = [
    dict(type='EMAHook', momentum=0.1),
    dict(type='DistillWarmupHook', length=10),
]
randomness = dict(seed=0)
"""


def train(config: Path, folder: Path) -> None:
    """Trains in this process, from the last checkpoint on, and notes the iterations."""
    from mmengine.hooks import Hook
    from tool_fixtures import load_tool

    from famkd.apis.cli import build_runner, load_config

    class Progress(Hook):
        priority = 'VERY_HIGH'

        def before_train(self, runner):
            self.file = os.open(folder / 'progress', os.O_WRONLY | os.O_CREAT)
            os.pwrite(self.file, f'{runner.iter:8}'.encode(), 0)

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            os.pwrite(self.file, f'{runner.iter + 1:8}'.encode(), 0)

    tool = load_tool('train')
    parser = tool.build_parser()
    argv = [str(config), '--work-dir', str(folder), '--resume', 'auto']
    args = parser.parse_args(argv)
    cfg = load_config(parser, args)
    tool.merge_args(parser, cfg, args)
    runner = build_runner(parser, cfg)
    runner.register_hook(Progress())
    runner.train()


def start(config: Path, folder: Path) -> int:
    """Starts the training in a process of its own, which has all imports already.

    Returns:
        int: The process.
    """
    (folder / 'progress').unlink(missing_ok=True)
    process = os.fork()
    if process:
        return process
    try:
        log = os.open(folder / 'log.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        train(config, folder)
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def has_ended(process: int) -> bool:
    """Whether a training has ended; RuntimeError if it failed."""
    ended, status = os.waitpid(process, os.WNOHANG)
    if ended and status:
        raise RuntimeError(f'the training failed (status {status}): see log.txt')
    return bool(ended)


def iterations_done(folder: Path) -> int | None:
    """Iterations that the training has done; None before it starts."""
    file = folder / 'progress'
    text = file.read_text() if file.exists() else ''
    return int(text) if text else None


def check_after_kill(folder: Path, done: int) -> int:
    """Checks that the checkpoint to resume from is complete, and not too old.

    Returns:
        int: How many iterations are lost.
    """
    from famkd.runtime.archive import is_complete
    from famkd.runtime.safe_load import load_checkpoint

    note = folder / 'last_checkpoint'
    saved = 0
    if note.exists():
        path = folder / note.read_text()
        assert is_complete(path), path
        saved = load_checkpoint(path)['meta']['iter']
    assert done - saved <= ITERATIONS, f'{done} iterations done, {saved} saved'
    return done - saved


def disturbed(
    config: Path, folder: Path, kills: int, epoch_seconds: float, draw: random.Random
) -> dict:
    """Trains, and kills it often.

    Args:
        config: The config.
        folder: The work folder.
        kills: How often.
        epoch_seconds: How long an epoch takes.
        draw: Draws the moments.

    Returns:
        dict: How many kills there were, and what they met.
    """
    lost, while_writing, surplus = [], 0, 0
    while True:
        process = start(config, folder)
        while iterations_done(folder) is None and not (ended := has_ended(process)):
            time.sleep(0.01)
        if len(lost) == kills:
            if not ended:
                os.waitpid(process, 0)
            break
        time.sleep(draw.uniform(0, 2 * epoch_seconds))
        if ended or has_ended(process):
            break
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        lost.append(check_after_kill(folder, iterations_done(folder)))
        while_writing += bool(list(folder.glob('*.tmp')))
        surplus += len(list(folder.glob('epoch_*.pth'))) > 2
    return dict(
        kills=len(lost),
        while_writing=while_writing,
        before_removing=surplus,
        lost=lost,
    )


def main(argv: list[str] | None = None) -> None:
    """Runs both trainings and compares them; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=30)
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument('--folder', type=Path, help='default: a temporary one')
    args = parser.parse_args(argv)

    from same_checkpoints import check_same_trainings

    import famkd.datasets
    import famkd.engine
    import famkd.models  # noqa: F401

    folder = args.folder or Path(tempfile.mkdtemp(prefix='kill_and_resume_'))
    whole, parts = folder / 'whole', folder / 'parts'
    for path in (whole, parts):
        path.mkdir(parents=True)
    epochs = args.kills + 6
    config = folder / 'config.py'
    base = str(ROOT / 'configs/demo/famkd_resnet20_resnet8_digits.py')
    config.write_text(CONFIG.format(base=base, iterations=ITERATIONS, epochs=epochs))

    process = start(config, whole)
    while iterations_done(whole) is None and not has_ended(process):
        time.sleep(0.01)
    begin = time.monotonic()
    _, status = os.waitpid(process, 0)
    if status:
        sys.exit(f'the training failed: see {whole}/log.txt')
    epoch_seconds = (time.monotonic() - begin) / epochs

    draw = random.Random(args.seed)
    found = disturbed(config, parts, args.kills, epoch_seconds, draw)
    lost = found.pop('lost')
    names = check_same_trainings(whole, parts)
    print(
        f'{epochs} epochs of {ITERATIONS} iterations, {epoch_seconds:.2f} s each: '
        f'{found["kills"]} kills, {found["while_writing"]} of them while a checkpoint '
        f'was written, {found["before_removing"]} before an old one was removed; lost '
        f'at most {max(lost, default=0)} iterations, {sum(lost)} in all; '
        f'the same at the end: {", ".join(names)}'
    )


if __name__ == '__main__':
    main()
