"""What a large teacher costs a small student: memory, checkpoint, time of a step.

    python benchmarks/large_teacher.py --teacher dinov2-small --batch 4 --threads 2

Distils a vision transformer of 14x14 patches at 224x224, with random weights from a
file, into ResNet-18 without labels (the recipe of configs/foundation), on the CPU.
Memory is that of processes of their own, the pages that they share counted in parts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from _timing import interleaved, machine
from mmengine.config import Config

from famkd.apis.feature_cache import gigabytes
from famkd.apis.tables import markdown_table
from famkd.models.algorithms.feature_cache import write_features
from famkd.models.algorithms.networks import build_network

RECIPE = (
    Path(__file__).resolve().parent.parent
    / 'configs/foundation/label-free_dinov2-base_resnet18_1xb64_folder.py'
)
TEACHERS = ('dinov2-small', 'base', 'large', 'dinov2-giant')
DTYPES = (None, 'bfloat16')  # None: float32, as the student


class Sample(dict):
    """A data sample that names its image."""


def config_of(args: argparse.Namespace, **changes: object) -> dict:
    """Config of the distillation."""
    import famkd.registry  # noqa: F401 (lets a config inherit from 'mmpretrain::...')

    config = Config.fromfile(RECIPE)
    layers = dict(ffn_type='swiglu_fused') if args.teacher.endswith('giant') else {}
    config.model.teacher = dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(
            type='VisionTransformer',
            arch=args.teacher,
            img_size=224,
            patch_size=14,
            layer_scale_init_value=1e-5,
            layer_cfgs=layers,
        ),
        head=None,
        data_preprocessor=dict(
            type='mmpretrain.ClsDataPreprocessor', **config.data_preprocessor
        ),
    )
    config.model.data_preprocessor = config.data_preprocessor
    config.model.update(teacher_options=dict(dtype=args.dtype), **changes)
    return {**config.model.to_dict(), '_scope_': 'mmpretrain'}


def batch_of(args: argparse.Namespace) -> tuple[torch.Tensor, list[Sample]]:
    """Random images, with names."""
    images = torch.randn(args.batch, 3, 224, 224)
    return images, [Sample(img_path=str(i)) for i in range(args.batch)]


def step_of(model: torch.nn.Module, batch: tuple) -> None:
    """Losses of a batch and their gradients."""
    model.zero_grad(set_to_none=True)
    model.parse_losses(model(*batch, mode='loss'))[0].backward()


def megabytes(field: str) -> float:
    """Memory of this process: VmHWM (its peak), or Pss (shared pages in parts)."""
    file = 'smaps_rollup' if field == 'Pss' else 'status'
    lines = Path(f'/proc/self/{file}').read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(field)) / 1024


def child(args: argparse.Namespace) -> None:
    """Prints, as JSON, the memory of this process when all processes have stepped."""
    before = megabytes('Pss')
    model = build_network(config_of(args, teacher_ckpt=args.checkpoint)).train()
    batch = batch_of(args)
    step_of(model, batch)
    with tempfile.TemporaryFile() as file:
        torch.save(model.state_dict(), file)
        size = file.tell() / 2**20
    print('ready', flush=True)
    sys.stdin.readline()
    found = dict(before=before, after=megabytes('Pss'), peak=megabytes('VmHWM'))
    print(json.dumps(dict(found, checkpoint=size)), flush=True)
    sys.stdin.readline()  # nobody leaves before all have counted


def measure_memory(args: argparse.Namespace, processes: int) -> list[dict]:
    """What :func:`child` says in so many processes that run at the same time."""
    options = [f'--{key}={getattr(args, key)}' for key in ('teacher', 'batch')]
    options += [f'--child={args.dtype}', f'--checkpoint={args.checkpoint}']
    children = [
        subprocess.Popen(
            [sys.executable, __file__, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    found = []
    for wanted in ('ready', '{'):
        for process in children:
            line = ''
            while not line.startswith(wanted):
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError('a process has ended early')
            found.append(line)
        for process in children:
            process.stdin.write('\n')
            process.stdin.flush()
    for process in children:
        process.wait()
    return [json.loads(line) for line in found[processes:]]


def measure_time(args: argparse.Namespace, folder: str) -> dict[str, float]:
    """Seconds of a live and a cached step, and gigabytes of features."""
    live = build_network(config_of(args, teacher_ckpt=args.checkpoint)).train()
    batch = batch_of(args)
    features = live.teacher_features(*batch)
    cache = f'{folder}/features_{args.dtype}'
    names = [sample['img_path'] for sample in batch[1]]
    content = iter([(names, batch[0], features)])
    write_features(cache, live.features_key(), args.batch, content)
    options = dict(teacher_ckpt=args.checkpoint, feature_cache=cache)
    cached = build_network(config_of(args, **options)).train()
    models = dict(live=live, cached=cached)
    seconds = interleaved(
        {name: lambda m=model: step_of(m, batch) for name, model in models.items()},
        args.rounds,
        'cpu',
    )
    return dict(seconds, gigabytes=gigabytes(features, 1000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--teacher', choices=TEACHERS, default='dinov2-small')
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--json', type=Path, help='file for the figures')
    parser.add_argument('--child', help=argparse.SUPPRESS)
    parser.add_argument('--checkpoint', help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    if args.child:
        args.dtype = None if args.child == 'None' else args.child
        child(args)
        return

    rows, results = [], []
    with tempfile.TemporaryDirectory() as folder:
        args.checkpoint, args.dtype = f'{folder}/teacher.pth', None
        teacher = build_network(config_of(args)['teacher'])
        count = sum(p.numel() for p in teacher.parameters()) / 1e6
        torch.save(teacher.state_dict(), args.checkpoint)
        del teacher
        for args.dtype in DTYPES:
            (one,), two = measure_memory(args, 1), measure_memory(args, 2)
            time = measure_time(args, folder)
            together = sum(process['after'] - process['before'] for process in two)
            results.append(
                dict(dtype=str(args.dtype), one=one, two=two, together=together, **time)
            )
            rows.append(
                [
                    args.dtype or 'float32',
                    f'{one["after"] - one["before"]:.0f} MB',
                    f'{together:.0f} MB',
                    f'{one["peak"]:.0f} MB',
                    f'{one["checkpoint"]:.0f} MB',
                    f'{time["live"]:.2f} s',
                    f'{time["cached"]:.2f} s',
                    f'{time["gigabytes"]:.2f} GB',
                ]
            )
    print(f'{args.teacher}, {count:.0f} M; batch {args.batch}; {machine("cpu")}')
    header = [
        'teacher in',
        'a process',
        'two',
        'peak, imports included',
        'checkpoint',
        'step, live',
        'step, cached',
        '1,000 images on disk',
    ]
    print(markdown_table([header, *rows]))
    if args.json:
        content = dict(machine=machine('cpu'), teacher=args.teacher, results=results)
        args.json.write_text(json.dumps(content, indent=1))


if __name__ == '__main__':
    main()
