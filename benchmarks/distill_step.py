"""Time and memory of a distillation step, against the reference forms.

    python benchmarks/distill_step.py --pair resnet56_resnet20 --threads 2

Builds each pair's FAM-KD recipe in configs/famkd and times, in turns in one process: a
step of the student alone, the teacher's forward as plain PyTorch runs it, and a
distillation step, with the reference forms of the layers and with the fast ones, where
the teacher's BN are folded, too. A step is forward, loss, backward and the optimizer.
Peak memory is measured in processes of their own: on a GPU what torch allocates, on a
CPU by how much the process grows.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from _timing import DTYPES, add_clock, interleaved, machine, peak_mb_of
from torch import nn

from famkd.apis.allocator import keep_freed_memory
from famkd.apis.plots import COLORS, new_figure, save
from famkd.apis.tables import markdown_table
from famkd.engine.hooks.channels_last_hook import lay_channels_last
from famkd.layers import FrequencyAttention, LocalAttention
from famkd.layers.reference import (
    ReferenceFrequencyAttention,
    ReferenceLocalAttention,
)

if TYPE_CHECKING:
    from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'famkd'
VARIANTS = ('student_step', 'teacher_forward', 'reference_step', 'step')


def build(pair: str, device: str, name: str) -> tuple[nn.Module, tuple]:
    """The FAM-KD of a pair for what is timed, and its input shape."""
    found = sorted(CONFIGS.glob(f'*/famkd_{pair}_*.py'))
    if not found:
        names = sorted(path.stem for path in CONFIGS.glob('*/famkd_*.py'))
        raise SystemExit(f'--pair {pair}: no recipe of that pair; known: {names}')
    from mmengine.config import Config

    model, shape = build_recipe(Config.fromfile(found[0]), device, name)
    if name == 'reference_step':
        use_reference_forms(model)
    return model.to(device), shape


def build_recipe(config: 'Config', device: str, name: str) -> tuple[nn.Module, tuple]:
    """The distillation of a recipe with a random teacher, and its input shape."""
    from mmengine.registry import init_default_scope

    init_default_scope(config.default_scope)
    from mmrazor.registry import MODELS

    torch.manual_seed(0)
    config.model.update(
        teacher_ckpt=None,
        allow_random_teacher=True,
        teacher_options=dict(fuse_bn=name == 'step'),
    )
    model = MODELS.build(config.model)
    model.init_weights()  # as the Runner does: folds the teacher's BN
    return model.to(device).train(), tuple(config.model.input_shape)


def use_reference_forms(model: nn.Module) -> None:
    """Puts the reference form in the place of every fast layer."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, LocalAttention):
                setattr(parent, name, ReferenceLocalAttention(child.channels))
            elif isinstance(child, FrequencyAttention):
                form = ReferenceFrequencyAttention(
                    child.in_channels, child.out_channels, child.size
                )
                setattr(parent, name, form)


def variants(
    args: argparse.Namespace, pair: str, names: tuple[str, ...]
) -> dict[str, Callable[[], None]]:
    """The functions to time, by name."""
    return {
        name: variant(args, *build(pair, args.device, name), name) for name in names
    }


def variant(
    args: argparse.Namespace, model: nn.Module, shape: tuple, name: str
) -> Callable[[], None]:
    """A function to time: a step of the model, or a part of it that has a name."""
    from mmpretrain.structures import DataSample

    dtype = getattr(torch, args.dtype)
    inputs = torch.randn(args.batch, *shape, device=args.device)
    if args.channels_last:
        inputs = inputs.to(memory_format=torch.channels_last)
        lay_channels_last(model)
    samples = [
        DataSample().set_gt_label(i % 100).to(args.device) for i in range(args.batch)
    ]
    network = model.student if name == 'student_step' else model
    parameters = [p for p in network.parameters() if p.requires_grad]
    # An untrained teacher's features are huge: learning from them diverges.
    optimizer = torch.optim.SGD(parameters, lr=0.0, momentum=0.9)

    def run() -> None:
        with torch.autocast(args.device, dtype, enabled=dtype != torch.float32):
            if name == 'teacher_forward':
                model.guest.record(inputs, samples)
                return
            losses = network(inputs, samples, mode='loss')
            loss, _ = network.parse_losses(losses)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return run


def peak_mb(args: argparse.Namespace, pair: str, name: str) -> float:
    """Peak memory of a variant, measured in a process of its own."""
    keys = ('device', 'dtype', 'threads', 'batch')
    options = [f'--{key}={getattr(args, key)}' for key in keys]
    options += ['--channels-last'] * args.channels_last
    command = [
        sys.executable,
        __file__,
        f'--pair={pair}',
        *options,
        f'--peak-of={name}',
    ]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return float(output.split()[-1])


def measure(args: argparse.Namespace, pair: str) -> dict:
    """One row of results: medians in seconds, peaks in MB."""
    seconds = interleaved(
        variants(args, pair, VARIANTS), args.rounds, args.device, args.clock
    )
    return {
        'pair': pair,
        'device': args.device,
        'dtype': args.dtype,
        'channels_last': args.channels_last,
        'clock': args.clock.__name__,
        **seconds,
        'peak_mb': peak_mb(args, pair, 'step'),
        'student_peak_mb': peak_mb(args, pair, 'student_step'),
        'reference_peak_mb': peak_mb(args, pair, 'reference_step'),
    }


def table(row: dict) -> list[list[str]]:
    """The figures and their ratios, a line each."""
    student, teacher = row['student_step'], row['teacher_forward']
    share = row['step'] - student - teacher
    reference_share = row['reference_step'] - student - teacher
    return [
        *([name, f'{1e3 * row[name]:.1f} ms'] for name in VARIANTS),
        ['reference_step / step', f'{row["reference_step"] / row["step"]:.2f}'],
        ['distillation share, reference / fast', f'{reference_share / share:.1f}'],
        ['step / (student + teacher)', f'{row["step"] / (student + teacher):.2f}'],
        ['peak memory', f'{row["peak_mb"]:.0f} MB'],
        ['peak memory of the student alone', f'{row["student_peak_mb"]:.0f} MB'],
        ['peak memory of the reference', f'{row["reference_peak_mb"]:.0f} MB'],
    ]


def plot(rows: list[dict], path: Path) -> None:
    """What a step is made of, reference next to fast."""
    figure, axes = new_figure(1, 1, 1 + 1.2 * len(rows))
    axis = axes[0, 0]
    labels = []
    for row in rows:
        pair = row['pair'].replace('resnet', 'ResNet').replace('wrn', 'WRN')
        for form in ('reference_step', 'step'):
            left, y = 0.0, len(labels)
            parts = {
                'student': row['student_step'],
                'teacher forward': row['teacher_forward'],
            }
            parts['distillation'] = row[form] - sum(parts.values())
            for color, (part, value) in enumerate(parts.items()):
                label = part if y == 0 else None
                axis.barh(y, 1e3 * value, left=left, color=COLORS[color], label=label)
                left += 1e3 * value
            kind = 'fast forms' if form == 'step' else 'reference forms'
            labels.append(f'{pair.replace("_", " -> ")}\n{kind}')
    axis.set_yticks(range(len(labels)), labels)
    axis.invert_yaxis()
    axis.set_xlabel('one training step (ms)')
    axis.grid(visible=False, axis='y')
    figure.legend(loc='outside upper left', ncols=3)
    save(figure, [path])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--pair', nargs='+', default=['resnet56_resnet20'], metavar='TEACHER_STUDENT'
    )
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--dtype', default='float32', choices=DTYPES)
    parser.add_argument('--channels-last', action='store_true', help='as in train.py')
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--rounds', type=int, default=7)
    add_clock(parser)
    parser.add_argument('--json', type=Path, help='file for the figures')
    parser.add_argument('--plot', type=Path, help='file for the plot (PNG or SVG)')
    parser.add_argument('--peak-of', choices=VARIANTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.device == 'cuda' and args.clock is time.process_time:
        parser.error('--processor-time: of a GPU it says nothing; leave it out')
    torch.set_num_threads(args.threads)
    keep_freed_memory()  # as tools/train.py does
    if args.peak_of:
        (run,) = variants(args, args.pair[0], (args.peak_of,)).values()
        print(peak_mb_of(run, args.device))
        return

    results = []
    for pair in args.pair:
        results.append(measure(args, pair))
        print(f'{pair}, batch {args.batch}, {args.dtype}; {machine(args.device)}')
        print(markdown_table([['what', 'measured'], *table(results[-1])]))
    if args.json:
        content = {'machine': machine(args.device), 'results': results}
        args.json.write_text(json.dumps(content, indent=1))
    if args.plot:
        plot(results, args.plot)


if __name__ == '__main__':
    main()
