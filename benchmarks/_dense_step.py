"""Time and memory of a distillation step on maps of any size, for two benchmarks.

In turns in one process: a step of the student alone, the teacher as far as it is
recorded, as plain PyTorch runs it, and a distillation step, with the teacher's BN
folded. A step is forward, loss, backward and the optimizer. With --naive also the step
with the reference forms. Peak memory is measured in processes of their own.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from _timing import DTYPES, interleaved, machine, peak_mb_of
from torch import nn

from famkd.apis.tables import markdown_table
from famkd.layers import LocalAttention
from famkd.layers.kernels.reference import window_attention
from famkd.layers.reference import ReferenceFrequencyAttention

VARIANTS = ('student_step', 'teacher_forward', 'step')
# Function (arguments, model): images of noise with a truth, through the preprocessor.
Batch = Callable[[argparse.Namespace, nn.Module], dict]


def build(
    args: argparse.Namespace, recipes: dict[str, Path], fuse_bn: bool
) -> nn.Module:
    """The distillation of the pair, with random networks."""
    import famkd.registry  # noqa: F401 (lets a config inherit from 'mmseg::...')

    from mmengine.config import Config  # isort: skip
    from mmengine.registry import init_default_scope

    if args.pair not in recipes:
        raise SystemExit(f'--pair {args.pair}: no recipe; known: {", ".join(recipes)}')
    config = Config.fromfile(recipes[args.pair])
    init_default_scope(config.default_scope)
    from mmrazor.registry import MODELS

    torch.manual_seed(0)
    config.model.update(
        teacher_ckpt=None,
        allow_random_teacher=True,
        teacher_options=dict(fuse_bn=fuse_bn),
    )
    model = MODELS.build(config.model)
    model.init_weights()  # as the Runner does: folds the teacher's BN
    return model.to(args.device).train()


def use_naive_forms(model: nn.Module, batch: dict) -> None:
    """Puts the released forms in the place of the fast layers, for this image size."""
    for module in model.modules():
        if isinstance(module, LocalAttention):
            module.attend = window_attention
    heads = [stage['head'] for stage in model.distiller.stages]
    sizes, hooks = {}, []
    for head in heads:
        hooks.append(
            head.fam.register_forward_pre_hook(
                lambda fam, inputs: sizes.update({fam: tuple(inputs[0].shape[-2:])})
            )
        )
    with torch.no_grad():
        model(**batch, mode='loss')
    for head, hook in zip(heads, hooks, strict=True):
        hook.remove()
        fam = head.fam
        form = ReferenceFrequencyAttention(
            fam.in_channels, fam.out_channels, sizes[fam]
        )
        head.fam = form.to(batch['inputs'].device)


def variants(
    args: argparse.Namespace,
    names: tuple[str, ...],
    recipes: dict[str, Path],
    random_batch: Batch,
) -> dict[str, Callable[[], None]]:
    """The functions to time, by name."""
    dtype = getattr(torch, args.dtype)
    fast = build(args, recipes, fuse_bn=True)
    batch = random_batch(args, fast)
    functions = {}
    for name in names:
        model = fast
        if name in ('teacher_forward', 'naive_step'):
            model = build(args, recipes, fuse_bn=False)
        if name == 'naive_step':
            use_naive_forms(model, batch)
        trained = model.student if name == 'student_step' else model
        parameters = [p for p in trained.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(parameters, lr=1e-5, momentum=0.9)

        def run(model=model, trained=trained, optimizer=optimizer, name=name) -> None:
            with torch.autocast(args.device, dtype, enabled=dtype != torch.float32):
                if name == 'teacher_forward':
                    model.guest.record(batch['inputs'], batch['data_samples'])
                    return
                losses = trained(**batch, mode='loss')
                loss, _ = model.parse_losses(losses)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

        functions[name] = run
    return functions


def peak_mb(args: argparse.Namespace, name: str) -> float:
    """Peak memory of a variant, measured in a process of its own."""
    options = [f'--{key}={getattr(args, key)}' for key in ('pair', 'device', 'dtype')]
    options += [f'--threads={args.threads}', f'--batch={args.batch}']
    options += ['--size', *map(str, args.size), f'--peak-of={name}']
    command = [sys.executable, sys.argv[0], *options]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return float(output.split()[-1])


def main(
    description: str, size: list[int], recipes: dict[str, Path], random_batch: Batch
) -> None:
    """Measures a pair and prints the figures.

    Args:
        description: What is measured, for ``--help``.
        size: Default height and width of the images.
        recipes: Name of a pair -> its FAM-KD recipe; the first is the default.
        random_batch: Makes the batch.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--pair', default=next(iter(recipes)))
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--dtype', default='float32', choices=DTYPES)
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--size', type=int, nargs=2, default=size, metavar='N')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--naive', action='store_true', help='the reference forms, too')
    parser.add_argument('--json', type=Path, help='file for the figures')
    parser.add_argument(
        '--peak-of', choices=[*VARIANTS, 'naive_step'], help=argparse.SUPPRESS
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.peak_of:
        (run,) = variants(args, (args.peak_of,), recipes, random_batch).values()
        print(peak_mb_of(run, args.device, steps=2))
        return

    names = VARIANTS + (('naive_step',) if args.naive else ())
    row = {key: getattr(args, key) for key in ('pair', 'device', 'dtype', 'batch')}
    row |= {'size': args.size}
    row |= interleaved(
        variants(args, names, recipes, random_batch), args.rounds, args.device
    )
    alone = row['student_step'] + row['teacher_forward']
    row |= {'extra': row['step'] / alone - 1, 'peak_mb': peak_mb(args, 'step')}
    row |= {'student_peak_mb': peak_mb(args, 'student_step')}
    if args.naive:
        row |= {'naive_peak_mb': peak_mb(args, 'naive_step')}

    height, width = args.size
    print(f'{args.pair}, batch {args.batch}, {height}x{width}, {args.dtype}')
    print(machine(args.device))
    rows = [[name, f'{1e3 * row[name]:.0f} ms'] for name in names]
    rows.append(['step over (student + teacher)', f'+{row["extra"]:.0%}'])
    rows += [[name, f'{row[name]:.0f} MB'] for name in row if name.endswith('peak_mb')]
    print(markdown_table([['what', 'measured'], *rows]))
    if args.json:
        content = {'machine': machine(args.device), 'results': [row]}
        args.json.write_text(json.dumps(content, indent=1))
