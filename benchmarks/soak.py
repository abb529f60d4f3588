"""Whether a long training stays as small and as fast as it began.

    OMP_NUM_THREADS=1 python benchmarks/soak.py

Distils a tiny student through the Runner, with the hooks of every recipe, on images
that all have another size, as for a detector. After a warm-up (the first quarter of
the iterations) the last quarter is compared with the first one: medians of the
memory of the training and its workers, of open files, and of the CPU time of an
iteration, which other programs disturb less than they do the clock. Exits with 1
where one of them grew beyond its limit.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from _timing import machine, resident_kb
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from famkd.apis.tables import markdown_table

RUNTIME = Path(__file__).resolve().parent.parent / 'configs/_base_/runtime.py'
CLASSES = 4
# Figure: its unit, and the most that it may grow, as a share of what it was.
LIMITS = {
    'memory': ('MB', 0.01),
    'open files': ('', 0.0),
    'CPU time of an iteration': ('ms', 0.1),
}


@DATASETS.register_module()
class ImagesOfAnySize(Dataset):
    """Random images, 24 to 64 pixels high and wide.

    Args:
        length: How many.
    """

    METAINFO = metainfo = dict(classes=[str(i) for i in range(CLASSES)])

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        rng = np.random.default_rng(index)
        image = rng.integers(0, 256, (3, *rng.integers(24, 65, 2)), dtype=np.uint8)
        return dict(
            inputs=torch.from_numpy(image),
            data_samples=DataSample().set_gt_label(index % CLASSES),
        )


class Samples(Hook):
    """Notes the figures after every iteration."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.figures = {name: [] for name in LIMITS}
        self.start = time.process_time()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        now = time.process_time()
        processes = [os.getpid(), *(w.pid for w in multiprocessing.active_children())]
        for name, value in {
            'memory': sum(resident_kb('VmRSS', pid) for pid in processes) / 2**10,
            'open files': len(os.listdir('/proc/self/fd')),
            'CPU time of an iteration': 1e3 * (now - self.start),
        }.items():
            self.figures[name].append(value)
        self.start = time.process_time()


def train(
    iterations: int, workers: int, pad: int, work_dir: str
) -> dict[str, list[float]]:
    """Distils, and returns the figures of every iteration."""

    def classifier(channels: int) -> dict:
        return dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(
                type='CIFARResNet',
                depth=8,
                stem_channels=channels,
                base_channels=channels,
            ),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='LinearClsHead', num_classes=CLASSES, in_channels=4 * channels
            ),
        )

    stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3']
    config = Config.fromfile(RUNTIME)
    config.merge_from_dict(
        dict(
            work_dir=work_dir,
            model=dict(
                type='mmrazor.FeatureDistill',
                architecture=classifier(4),
                teacher=classifier(8),
                allow_random_teacher=True,
                input_shape=(3, 64, 64),
                distiller=dict(
                    type='ReviewDistiller',
                    student_stages=stages,
                    teacher_stages=stages,
                    fusion=dict(type='CrossAttentionFusion'),
                    head=dict(type='DynamicFAMHead'),
                    loss=dict(type='HCLLoss'),
                ),
            ),
            data_preprocessor=dict(
                mean=[127.5] * 3, std=[127.5] * 3, pad_size_divisor=pad
            ),
            train_dataloader=dict(
                batch_size=2,
                num_workers=workers,
                persistent_workers=workers > 0,
                dataset=dict(type='ImagesOfAnySize', length=2 * iterations),
                sampler=dict(type='InfiniteSampler'),
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
            train_cfg=dict(by_epoch=False, max_iters=iterations),
            custom_hooks=[
                dict(type='DistillWarmupHook', length=100, by_epoch=False),
                dict(type='GammaLogHook', interval=50),
            ],
            default_hooks=dict(
                checkpoint=dict(by_epoch=False, interval=100, save_best=None),
                runtime=dict(type='RuntimeHook'),
            ),
            randomness=dict(seed=0),
        )
    )
    runner = Runner.from_cfg(config)
    samples = Samples()
    runner.register_hook(samples)
    runner.train()
    return samples.figures


def growth(figures: dict[str, list[float]]) -> dict[str, dict]:
    """First and last quarter of what follows the warm-up, and what grew too much.

    Args:
        figures: Values of every iteration by the names in ``LIMITS``.

    Returns:
        dict: ``first``, ``last``, ``growth``, ``limit`` and ``ok`` by name.
    """
    result = {}
    for name, (_, limit) in LIMITS.items():
        values = figures[name][len(figures[name]) // 4 :]
        quarter = len(values) // 4
        first = statistics.median(values[:quarter])
        last = statistics.median(values[-quarter:])
        grown = last / first - 1
        result[name] = dict(
            first=first, last=last, growth=grown, limit=limit, ok=grown <= limit
        )
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--iterations', type=int, default=2000)
    parser.add_argument('--threads', type=int, default=1, help='CPU threads')
    parser.add_argument('--workers', type=int, default=1, help='of the data loader')
    parser.add_argument('--pad', type=int, default=8, help='image sizes to multiples')
    parser.add_argument('--json', type=Path, help='file for the figures')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = growth(train(args.iterations, args.workers, args.pad, folder))
    minutes = (time.perf_counter() - start) / 60
    print(f'{args.iterations} iterations in {minutes:.1f} min; {machine("cpu")}')
    rows = [
        [
            name,
            f'{figure["first"]:.1f} {LIMITS[name][0]}'.strip(),
            f'{figure["last"]:.1f} {LIMITS[name][0]}'.strip(),
            f'{figure["growth"]:+.2%}',
            f'{figure["limit"]:.0%}',
            'ok' if figure['ok'] else 'TOO MUCH',
        ]
        for name, figure in result.items()
    ]
    header = ['', 'first quarter', 'last quarter', 'growth', 'limit', '']
    print(markdown_table([header, *rows]))
    if args.json:
        args.json.write_text(json.dumps({**result, 'machine': machine('cpu')}))
    return 0 if all(figure['ok'] for figure in result.values()) else 1


if __name__ == '__main__':
    sys.exit(main())
