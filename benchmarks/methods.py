"""Time and memory of a step of every method between ResNet56 and ResNet20.

    python benchmarks/methods.py --threads 2

Builds the recipes of that pair and times, in turns in one process, a step of the
student alone, the teacher's forward, and a step with each method. Peak memory is
measured in processes of their own, see distill_step.py.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from _timing import add_clock, interleaved, machine, peak_mb_of
from distill_step import build_recipe, variant
from mmengine.config import Config

from famkd.apis.allocator import keep_freed_memory
from famkd.apis.tables import markdown_table

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
RECIPES = {
    path.parts[-3]: path
    for path in sorted(CONFIGS.glob('*/cifar100/*_resnet56_resnet20_1xb*.py'))
}
# Those whose recipes of that pair are for a shorter training.
RECIPES |= {
    name.replace('-', '_'): next(CONFIGS.glob(f'cifar100_24e/{name}_resnet56_*.py'))
    for name in ('at', 'dct-kd')
}
# Those without a recipe of that pair: what is put into KD's.
OTHERS = {
    'pkt': dict(file='pkt'),
    'fourier_kd': dict(file='fourier_kd_maps', stages=['backbone.layer3']),
    'lskd': dict(
        distill_losses=dict(
            loss_kl=dict(type='StandardizedKLDivergence', tau=2, loss_weight=9.0)
        )
    ),
}
METHODS = [*RECIPES, *OTHERS]
PARTS = ('student_step', 'teacher_forward')


def peak_mb(args: argparse.Namespace, name: str) -> float:
    """Peak memory of a step with a method, measured in a process of its own."""
    options = [f'--{key}={getattr(args, key)}' for key in ('threads', 'batch')]
    command = [sys.executable, __file__, *options, f'--peak-of={name}']
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return float(output.split()[-1])


def read_config(method: str) -> Config:
    """The recipe of a method, or what comes next to one."""
    if method in RECIPES:
        return Config.fromfile(RECIPES[method])
    config = Config.fromfile(RECIPES['kd'])
    options = dict(OTHERS[method])
    if 'file' in options:
        base = CONFIGS / '_base_/methods' / f'{options.pop("file")}.py'
        config.model.distiller = Config.fromfile(base).model.distiller
    config.model.distiller.update(options)
    return config


def step(args: argparse.Namespace, method: str, name: str = 'step') -> Callable:
    """A step with a method, or a part of it."""
    return variant(args, *build_recipe(read_config(method), args.device, name), name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--methods', nargs='+', choices=METHODS, default=METHODS)
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--rounds', type=int, default=7)
    add_clock(parser)
    parser.add_argument('--no-memory', action='store_true', help='time only')
    parser.add_argument('--json', type=Path, help='file for the figures')
    parser.add_argument('--peak-of', choices=METHODS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.device, args.dtype, args.channels_last = 'cpu', 'float32', False
    torch.set_num_threads(args.threads)
    keep_freed_memory()  # as tools/train.py does
    if args.peak_of:
        print(peak_mb_of(step(args, args.peak_of), args.device))
        return

    # KD asks for the logits: the teacher runs to its end.
    functions = {name: step(args, 'kd', name) for name in PARTS}
    functions.update({method: step(args, method) for method in args.methods})
    seconds = interleaved(functions, args.rounds, args.device, args.clock)
    alone = sum(seconds[name] for name in PARTS)
    peaks = {} if args.no_memory else {m: peak_mb(args, m) for m in args.methods}
    print(f'batch {args.batch}; {machine(args.device)}')
    print(f'student {seconds["student_step"]:.3f} s, with the teacher {alone:.3f} s')
    lines = [
        [
            method,
            f'{seconds[method] / alone:.2f}',
            f'{1 - alone / seconds[method]:.0%}',
            f'{peaks[method]:.0f} MB' if peaks else '-',
        ]
        for method in args.methods
    ]
    header = [
        'method',
        'step / (student + teacher)',
        'share of the step',
        'peak memory',
    ]
    print(markdown_table([header, *lines]))
    if args.json:
        content = dict(
            machine=machine(args.device),
            clock=args.clock.__name__,
            seconds=seconds,
            peak_mb=peaks,
        )
        args.json.write_text(json.dumps(content, indent=1))


if __name__ == '__main__':
    main()
