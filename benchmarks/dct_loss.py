"""Time of the DCT-driven loss, against a whole step and against the released form.

    python benchmarks/dct_loss.py --recipe mit67/dct_resnet50_resnet18 --threads 2

Builds a recipe in configs/dct and times in one process, in turns: a whole distillation
step (forward of both networks, losses, backward, optimizer) and the loss over all
stages, forward and backward; then the loss with the DCT, with the real DFT, and as the
released code computes it.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from _timing import interleaved, machine
from torch import Tensor, nn

from famkd.apis.tables import markdown_table

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'dct'


def released_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """The distance of every sample by repeated extremes and a full complex FFT."""
    return torch.norm(
        (_released_spectrum(student) - _released_spectrum(teacher)).flatten(1), dim=1
    )


def _released_spectrum(feature: Tensor) -> Tensor:
    maps = _released_min_max(feature.pow(2).mean(1))
    places = maps[0].numel()
    mean = maps.flatten(1).mean(1).repeat_interleave(places).view_as(maps)
    return _released_min_max(torch.real(torch.fft.fft2(maps - mean)))


def _released_min_max(maps: Tensor) -> Tensor:
    flat, places = maps.flatten(1), maps[0].numel()
    low = flat.min(1).values.repeat_interleave(places).view_as(maps)
    high = flat.max(1).values.repeat_interleave(places).view_as(maps)
    return (maps - low) / (high - low)


def build(recipe: str) -> tuple[nn.Module, tuple[int, ...]]:
    """The distillation of a recipe with a random teacher, and its input shape."""
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    import famkd.registry  # noqa: F401 (finds the networks of the recipe)

    found = sorted(CONFIGS.glob(f'{recipe}_*.py'))
    if not found:
        known = sorted(
            str(path.relative_to(CONFIGS)) for path in CONFIGS.glob('*/*.py')
        )
        raise SystemExit(f'--recipe {recipe}: not in configs/dct; known: {known}')
    config = Config.fromfile(found[0])
    init_default_scope(config.default_scope)
    from mmrazor.registry import MODELS

    torch.manual_seed(0)
    config.model.update(teacher_ckpt=None, allow_random_teacher=True)
    return MODELS.build(config.model).train(), tuple(config.model.input_shape)


def recorded_maps(model: nn.Module, inputs: Tensor, samples: list) -> list[tuple]:
    """The maps that the distiller of a model compares, the student's as leaves."""
    pairs = []
    compare = model.distiller.compare

    def keep(student: Tensor, teacher: Tensor, targets: object) -> Tensor:
        pairs.append((student.detach().requires_grad_(), teacher.detach()))
        return compare(student, teacher, targets)

    model.distiller.compare = keep
    model(inputs, samples, mode='loss')
    model.distiller.compare = compare
    return pairs


def measure(args: argparse.Namespace, recipe: str) -> dict:
    """Median seconds of the step and the loss in turns, and of the loss's forms."""
    from mmpretrain.structures import DataSample

    from famkd.models import DCTAttentionLoss

    model, shape = build(recipe)
    model = model.to(args.device)
    inputs = torch.randn(args.batch, *shape, device=args.device)
    samples = [
        DataSample().set_gt_label(i % 10).to(args.device) for i in range(args.batch)
    ]
    parameters = [p for p in model.parameters() if p.requires_grad]
    # An untrained teacher's features are huge: learning from them diverges.
    optimizer = torch.optim.SGD(parameters, lr=0.0, momentum=0.9)
    pairs = recorded_maps(model, inputs, samples)

    def step() -> None:
        loss, _ = model.parse_losses(model(inputs, samples, mode='loss'))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    def loss_of(distance: Callable[[Tensor, Tensor], Tensor]) -> None:
        total = sum(distance(*pair).mean() for pair in pairs)
        torch.autograd.grad(total, [student for student, _ in pairs])

    forms = {
        'DCT': lambda: loss_of(DCTAttentionLoss()),
        'real DFT': lambda: loss_of(DCTAttentionLoss('real_dft')),
        'released': lambda: loss_of(released_distance),
    }
    # After a step, whatever comes first finds cold caches: as it is in a training, but
    # unfair between the forms.
    in_step = {'step': step, 'loss': forms['DCT']}
    return {
        'recipe': recipe,
        'sizes': [tuple(student.shape) for student, _ in pairs],
        **interleaved(in_step, args.rounds, args.device),
        **interleaved(forms, 5 * args.rounds, args.device),
    }


def table(row: dict) -> list[list[str]]:
    """The figures and their ratios, a line each."""
    times = [name for name in row if name not in ('recipe', 'sizes')]
    return [
        *([name, f'{1e3 * row[name]:.2f} ms'] for name in times),
        ['loss / step', f'{100 * row["loss"] / row["step"]:.2f} %'],
        ['released / DCT', f'{row["released"] / row["DCT"]:.2f}'],
        ['released / real DFT', f'{row["released"] / row["real DFT"]:.2f}'],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--recipe',
        nargs='+',
        default=['mit67/dct_resnet50_resnet18', 'cifar100/dct_resnet56_resnet20'],
        help='recipes in configs/dct, without GPUs and batch size',
    )
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--json', type=Path, help='file for the figures')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    results = [measure(args, recipe) for recipe in args.recipe]
    for row in results:
        print(f'{row["recipe"]}, batch {args.batch}; {machine(args.device)}')
        print(markdown_table([['what', 'measured'], *table(row)]))
    if args.json:
        content = {'machine': machine(args.device), 'results': results}
        args.json.write_text(json.dumps(content, indent=2))


if __name__ == '__main__':
    main()
