"""Time and memory of FreeKD's loss on the outputs of an FPN.

    python benchmarks/freekd.py --size 256 384 --batch 2

Times in turns, in one process: masks, bands and loss of five maps with their gradients,
as famkd computes them; the same as the released code does (the transform by
convolutions, and products of shape (N, T, C, 3, h, w)); and, with --pair, what
they are added to, a step of the student and the teacher's forward. Memory is what each
form keeps until its backward pass, over that of the student's maps.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from _timing import interleaved, machine
from torch import Tensor
from torch.nn.functional import conv2d, pad

from famkd.apis.tables import markdown_table
from famkd.layers import frequency_distance, frequency_masks

CONFIGS = Path(__file__).resolve().parent.parent / 'configs/freekd/coco'


def fast(student: Tensor, teacher: Tensor, prompts: Tensor) -> Tensor:
    """The released loss of one map, as famkd computes it."""
    masks = frequency_masks(teacher, prompts)
    return frequency_distance(student, teacher, masks, low_band=False).mean()


def released(student: Tensor, teacher: Tensor, prompts: Tensor) -> Tensor:
    """The same in the order of the released code."""
    signs = [[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]
    filters = torch.tensor(signs).view(4, 1, 2, 2).to(student) / 2

    def bands(x: Tensor) -> list[Tensor]:
        details = []
        for _ in range(3):
            padded = pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
            coefficients = conv2d(padded.flatten(0, 1)[:, None], filters, stride=2)
            coefficients = coefficients.unflatten(0, x.shape[:2])
            details.append(coefficients[:, :, 1:])
            x = coefficients[:, :, 0]
        return details

    total = 0.0
    levels = zip(prompts[1:], bands(student), bands(teacher), strict=True)
    for prompt, s, t in levels:
        mask = torch.einsum('tc,nchw->nthw', prompt, t.sum(2)).sigmoid()
        mask = mask[:, :, None, None]
        total = total + (mask * s[:, None] - mask * t[:, None]).abs().mean()
    return total


def random_maps(args: argparse.Namespace) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Student's and teacher's maps of strides 8 to 128, and prompts of each."""
    generator = torch.Generator().manual_seed(0)
    sizes = [[-(-n // stride) for n in args.size] for stride in (8, 16, 32, 64, 128)]
    students, teachers = (
        [
            torch.randn(args.batch, args.channels, *size, generator=generator)
            for size in sizes
        ]
        for _ in range(2)
    )
    prompts = torch.randn(5, 4, args.prompts, args.channels, generator=generator)
    students = [x.to(args.device).requires_grad_() for x in students]
    return students, [x.to(args.device) for x in teachers], prompts.to(args.device)


def step_of(form: Callable, maps: tuple) -> Callable[[], None]:
    """Function that computes the loss of all maps, and its gradients."""

    def run() -> None:
        for x in maps[0]:
            x.grad = None
        sum(form(*m) for m in zip(*maps, strict=True)).backward()

    return run


def memory_of(form: Callable, maps: tuple) -> float:
    """Size of the tensors kept for the backward pass, over the student's maps."""
    known = {x.data_ptr() for tensors in maps for x in tensors}
    kept = {}

    def note(x: Tensor) -> Tensor:
        storage = x.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        loss = sum(form(*m) for m in zip(*maps, strict=True))
        size = sum(kept.values()) / sum(4 * x.numel() for x in maps[0])
    del loss
    return size


def networks(args: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """A step of the student alone and the teacher's forward, of a recipe."""
    from mmdet.testing import demo_mm_inputs
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    import famkd.models  # noqa: F401
    from mmrazor.registry import MODELS  # isort: skip

    path = CONFIGS / f'freekd_{args.pair}_fpn_8xb2-2x_coco.py'
    if not path.is_file():
        files = sorted(CONFIGS.glob('freekd_*_fpn_8xb2-2x_coco.py'))
        known = [p.stem[7:].partition('_fpn_')[0] for p in files]
        raise SystemExit(f'--pair {args.pair}: no recipe; known: {", ".join(known)}')
    config = Config.fromfile(path)
    init_default_scope(config.default_scope)
    config.model.update(teacher_ckpt=None, allow_random_teacher=True)
    config.model.distiller.prompts = None
    model = MODELS.build(config.model).to(args.device).train()
    shapes = [[3, *args.size]] * args.batch
    batch = demo_mm_inputs(args.batch, shapes, num_items=[10] * args.batch)
    batch = model.data_preprocessor(batch, True)
    parameters = [p for p in model.student.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=1e-5, momentum=0.9)

    def student() -> None:
        loss, _ = model.parse_losses(model.student(**batch, mode='loss'))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    def teacher() -> None:
        with torch.no_grad():
            model.teacher.extract_feat(batch['inputs'])

    return dict(student_step=student, teacher_forward=teacher)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--pair', help='of a recipe, as in retinanet_r101_r50')
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--size', type=int, nargs=2, default=[256, 384], metavar='N')
    parser.add_argument('--channels', type=int, default=256)
    parser.add_argument('--prompts', type=int, default=2, help='T')
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--json', type=Path, help='file for the figures')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    maps = random_maps(args)
    forms = {'fast': fast, 'released': released}
    functions = {name: step_of(form, maps) for name, form in forms.items()}
    if args.pair:
        functions |= networks(args)
    row = interleaved(functions, args.rounds, args.device)
    rows = [[name, f'{1e3 * seconds:.1f} ms'] for name, seconds in row.items()]
    row['ratio'] = row['released'] / row['fast']
    rows.append(['released / fast', f'{row["ratio"]:.1f}'])
    if args.pair:
        row['share'] = row['fast'] / (row['student_step'] + row['teacher_forward'])
        rows.append(['fast / (student + teacher)', f'{row["share"]:.1%}'])
    for name, form in forms.items():
        row[f'{name}_memory'] = memory_of(form, maps)
        rows.append([f'{name}: kept / maps', f'{row[f"{name}_memory"]:.2f}'])

    height, width = args.size
    print(
        f'five maps of {height}x{width}, {args.channels} channels, batch {args.batch}'
    )
    print(machine(args.device))
    print(markdown_table([['what', 'measured'], *rows]))
    if args.json:
        content = {'machine': machine(args.device), 'results': [row]}
        args.json.write_text(json.dumps(content, indent=1))


if __name__ == '__main__':
    main()
