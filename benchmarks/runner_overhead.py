"""What the runner adds to a training step: data, hooks, logging.

    python benchmarks/runner_overhead.py --threads 2

Trains a FAM-KD recipe through the Runner on JPEG files that it makes itself
(workers, augmentation, logging as in the recipe). Between segments of the training it
waits until the workers have no more to do, and takes some bare steps on a batch in
memory: forward, backward, optimizer and nothing else. The overhead is the ratio of
what a step of either takes on average, a median over the segments.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from _timing import machine
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image
from torch import nn

CONFIG = (
    Path(__file__).resolve().parent.parent
    / 'configs/famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py'
)
CLASSES = 10


class Segments(Hook):
    """Times segments of the training, and bare steps in between.

    Args:
        length: Steps of a segment.
        untimed: First steps of a segment, for which the workers have worked ahead.
        bare: Bare steps after each segment.
    """

    priority = 'LOWEST'

    def __init__(self, length: int, untimed: int = 5, bare: int = 10) -> None:
        self.length, self.untimed, self.bare = length, untimed, bare
        self.runner_seconds, self.bare_seconds = [], []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        step = batch_idx % self.length + 1
        if step == self.untimed:
            self.start = time.perf_counter()
        if step == self.length:
            seconds = time.perf_counter() - self.start
            self.runner_seconds.append(seconds / (self.length - self.untimed))
            time.sleep(1)  # The workers fill their queues.
            data = runner.model.data_preprocessor(data_batch, True)
            begin = time.perf_counter()
            for _ in range(self.bare):
                bare_step(runner.model, runner.optim_wrapper.optimizer, data)
            self.bare_seconds.append((time.perf_counter() - begin) / self.bare)


def bare_step(model: nn.Module, optimizer: torch.optim.Optimizer, data: dict) -> None:
    """Forward, backward and optimizer, in plain PyTorch."""
    losses = model(data['inputs'], data['data_samples'], mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    optimizer.step()
    optimizer.zero_grad()


def make_images(folder: Path, count: int) -> None:
    """Writes random 32x32 JPEG files, in a folder for each class."""
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f'class{i % CLASSES}' / f'{i}.jpg'
        path.parent.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--segments', type=int, default=5)
    parser.add_argument('--length', type=int, default=25, help='steps of a segment')
    parser.add_argument(
        '--collate',
        default='default_collate',
        help="how batches are put together; MMEngine's default is pseudo_collate",
    )
    parser.add_argument('--json', type=Path, help='file for the figures')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    with tempfile.TemporaryDirectory() as folder:
        make_images(Path(folder), args.segments * args.length * args.batch)
        config = Config.fromfile(CONFIG)
        config.work_dir = str(Path(folder, 'work_dir'))
        config.model.update(teacher_ckpt=None, allow_random_teacher=True)
        loader = config.train_dataloader
        loader.batch_size = args.batch
        # As tools/train.py sets them.
        loader.update(persistent_workers=True, collate_fn=dict(type=args.collate))
        loader.dataset = dict(
            type='CustomDataset',
            data_root=folder,
            pipeline=[dict(type='LoadImageFromFile'), *loader.dataset.pipeline],
        )
        # An untrained teacher's features are huge: learning from them diverges.
        config.optim_wrapper.optimizer.lr = 0.0
        config.train_cfg.max_epochs = 1
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
        config.test_cfg = config.test_dataloader = config.test_evaluator = None
        runner = Runner.from_cfg(config)
        segments = Segments(args.length)
        runner.register_hook(segments)
        runner.train()

    seconds = {
        'runner_step': statistics.median(segments.runner_seconds),
        'bare_step': statistics.median(segments.bare_seconds),
    }
    overhead = seconds['runner_step'] / seconds['bare_step'] - 1
    print(f'{CONFIG.stem}, batch {args.batch}; {machine("cpu")}')
    print({name: f'{1e3 * value:.1f} ms' for name, value in seconds.items()})
    print(f'the runner adds {overhead:.1%}')
    if args.json:
        args.json.write_text(json.dumps({**seconds, 'machine': machine('cpu')}))


if __name__ == '__main__':
    main()
