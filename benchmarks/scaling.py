"""How time and memory of FAM-KD grow, one size at a time.

    python benchmarks/scaling.py --threads 1 --out scaling.png

Times forward and backward of FAM-KD's modules on random features (stage i has half the
height and width of stage i - 1 and twice its channels), and the start of a data set of
so many images. Every case runs in a process of its own, whose growth is its memory.
The table and the plot show the same run.
"""

import argparse
import json
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from _timing import machine, peak_mb_of
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from famkd.apis.plots import COLORS, add_out_argument, new_figure, out_files, save
from famkd.apis.tables import markdown_table
from famkd.models.connectors import CrossAttentionFusion, FAMHead

BASE = dict(batch=64, size=32, channels=16, stages=3, processes=1)
# What each is set to, the others as in BASE.
SIZES = dict(
    batch=(16, 32, 64, 128),
    size=(16, 32, 64),
    channels=(8, 16, 32, 64),
    stages=(1, 2, 3, 4),
    processes=(1, 2),
)
ENTRIES = (10_000, 100_000, 1_000_000)
LABELS = dict(
    batch='batch',
    size='height and width of the largest map',
    channels='channels of the first stage',
    stages='stages',
    processes='processes, the batch shared among them',
    entries='images of the data set (start, memory)',
)


class Review(nn.Module):
    """The fusions and heads of FAM-KD, and the sum of the losses of all stages."""

    def __init__(self, size: int, channels: int, stages: int) -> None:
        super().__init__()
        widths = [channels * 2**i for i in range(stages)]
        self.fusions = nn.ModuleList(
            CrossAttentionFusion(width, above)
            for width, above in zip(widths, [*widths[1:], None], strict=True)
        )
        self.heads = nn.ModuleList(
            FAMHead(width, width, size // 2**i) for i, width in enumerate(widths)
        )

    def forward(self, students: list[Tensor], teachers: list[Tensor]) -> Tensor:
        loss, review = 0, None
        for i in reversed(range(len(self.heads))):
            review = self.fusions[i](students[i], review)
            loss = loss + mse_loss(self.heads[i](review), teachers[i])
        return loss


def features(batch: int, size: int, channels: int, stages: int) -> list[Tensor]:
    """Random maps of every stage."""
    return [
        torch.randn(batch, channels * 2**i, size // 2**i, size // 2**i)
        for i in range(stages)
    ]


def train_step(case: dict, rank: int, rendezvous: str) -> Callable[[], None]:
    """Forward and backward of a process, which has its share of the batch."""
    torch.manual_seed(0)
    processes = case['processes']
    shape = {key: case[key] for key in ('size', 'channels', 'stages')}
    model: nn.Module = Review(**shape)
    if processes > 1:
        torch.distributed.init_process_group(
            'gloo', f'file://{rendezvous}', rank=rank, world_size=processes
        )
        model = nn.parallel.DistributedDataParallel(model)
    share = case['batch'] // processes
    students, teachers = features(share, **shape), features(share, **shape)

    def run() -> None:
        model.zero_grad()
        model([x.requires_grad_() for x in students], teachers).backward()

    return run


def load_index(case: dict, folder: str) -> Callable[[], None]:
    """Reads a list of images and labels, as a data set of mmpretrain does."""
    from mmpretrain.datasets import CustomDataset

    index = Path(folder, 'train.txt')
    with open(index, 'w') as file:
        file.writelines(f'{i:08d}.jpg {i % 1000}\n' for i in range(case['entries']))
    kept = []

    def run() -> None:
        kept.append(CustomDataset(ann_file=str(index), data_prefix=folder))

    return run


def work(queue: Any, case: dict, rank: int, folder: str, threads: int, rounds: int):
    """A process: puts its seconds (the best of all rounds) and memory in MB."""
    torch.set_num_threads(threads)
    if 'entries' in case:
        run, rounds = load_index(case, folder), 0
    else:
        run = train_step(case, rank, str(Path(folder, 'rendezvous')))
    start = time.perf_counter()
    memory = peak_mb_of(run, 'cpu', steps=1)
    best = time.perf_counter() - start
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    queue.put((best, memory))


def measure(case: dict, threads: int, rounds: int) -> dict:
    """Seconds of the slowest process and memory of all of them."""
    # Forked, a process has all imports and its growth is that of the case alone.
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            context.Process(
                target=work, args=(queue, case, rank, folder, threads, rounds)
            )
            for rank in range(case.get('processes', 1))
        ]
        for process in processes:
            process.start()
        results = [queue.get() for _ in processes]
        for process in processes:
            process.join()
    return dict(
        seconds=max(seconds for seconds, _ in results),
        memory_mb=sum(memory for _, memory in results),
    )


def plot(rows: list[dict], files: list[str]) -> None:
    """Time and memory over each size, relative to the smallest one."""
    names = list(dict.fromkeys(row['varied'] for row in rows))
    figure, axes = new_figure(2, (len(names) + 1) // 2, height=5)
    for axis, name in zip(axes.flat, names, strict=False):
        found = [row for row in rows if row['varied'] == name]
        for color, key in zip(COLORS, ('seconds', 'memory_mb'), strict=False):
            axis.plot(
                [row['value'] for row in found],
                [row[key] / found[0][key] for row in found],
                'o-',
                color=color,
                label='time' if key == 'seconds' else 'memory',
            )
        values = [row['value'] for row in found]
        label = re.split(r',| \(', LABELS[name])[0]
        axis.set(xscale='log', yscale='log', xlabel=label)
        axis.set_xticks(values, [f'{value:,}' for value in values])
        low, high = axis.get_ylim()
        ticks = [t for t in (0.5, 0.8, 1, 1.5, 2, 3, 5, 10, 20, 50) if low < t < high]
        axis.set_yticks(ticks, [f'{tick:g}' for tick in ticks])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel('times the smallest')
    for axis in axes.flat[len(names) :]:
        axis.remove()
    axes[0, 0].legend()
    save(figure, files)


def main() -> None:
    """Measure, print the table, write the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--threads', type=int, default=1, help='CPU threads, each')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--vary', nargs='+', choices=LABELS, default=[*LABELS])
    parser.add_argument(
        '--entries', type=int, nargs='+', default=ENTRIES, help='sizes of the data set'
    )
    parser.add_argument('--batch', type=int, default=BASE['batch'])
    parser.add_argument('--json', type=Path, help='file for the figures')
    add_out_argument(parser, 'scaling.png')
    args = parser.parse_args()

    rows = []
    for name in args.vary:
        for value in args.entries if name == 'entries' else SIZES[name]:
            base = {} if name == 'entries' else {**BASE, 'batch': args.batch}
            case = {**base, name: value}
            found = measure(case, args.threads, args.rounds)
            rows.append(dict(varied=name, value=value, **found))
    lines = [
        [
            LABELS[row['varied']],
            f'{row["value"]:,}',
            f'{1e3 * row["seconds"]:,.1f}',
            f'{row["memory_mb"]:,.0f}',
        ]
        for row in rows
    ]
    print(machine('cpu'))
    print(markdown_table([['varied', 'value', 'ms', 'memory [MB]'], *lines]))
    if args.json:
        content = dict(machine=machine('cpu'), base=BASE, results=rows)
        args.json.write_text(json.dumps(content, indent=1))
    plot(rows, out_files(args))


if __name__ == '__main__':
    main()
