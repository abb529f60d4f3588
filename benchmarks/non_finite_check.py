"""What it costs to look for losses and gradients that are not finite.

    OMP_NUM_THREADS=1 python benchmarks/non_finite_check.py

Times the check of NonFiniteHook, and whole steps without it, in turns: of ResNet20
alone and of FAM-KD with it as the student (CIFAR-100). On a CPU it is CPU time.
"""

import argparse
import time
from pathlib import Path
from types import SimpleNamespace

import torch
from _timing import interleaved, machine
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

import famkd.models  # noqa: F401
from famkd.apis.tables import markdown_table
from famkd.runtime.non_finite_hook import NonFiniteHook

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
RECIPES = [
    'vanilla/cifar100/resnet20_1xb64_cifar100.py',
    'famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py',
]


def time_of(recipe: str, batch: int, rounds: int, device: str) -> dict[str, float]:
    """Median seconds of a step and of the check; CPU time on a CPU."""
    config = Config.fromfile(CONFIGS / recipe)
    if 'teacher' in config.model:
        config.model.update(teacher_ckpt=None, allow_random_teacher=True)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(config.model).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)
    runner = SimpleNamespace(model=model, optim_wrapper=OptimWrapper(optimizer))
    images = torch.randn(batch, 3, 32, 32, device=device)
    samples = [DataSample().set_gt_label(i % 100).to(device) for i in range(batch)]

    def step() -> dict[str, torch.Tensor]:
        optimizer.zero_grad()
        losses = model(images, samples, mode='loss')
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        optimizer.step()
        return losses

    losses = step()
    hook = NonFiniteHook()
    hook.before_train(runner)
    # The steps that are timed are without it.
    optimizer._optimizer_step_pre_hooks.clear()
    model._forward_hooks.clear()

    def check() -> None:
        hook._keep_losses(model, (), losses)
        hook._check(runner)

    # On a CPU other programs delay the long step more often than the short check.
    clock = time.process_time if device == 'cpu' else time.perf_counter
    return interleaved({'step': step, 'check': check}, rounds, device, clock)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--threads', type=int, default=1, help='CPU threads')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    rows = []
    for recipe in RECIPES:
        seconds = time_of(recipe, args.batch, args.rounds, args.device)
        rows.append(
            [
                Path(recipe).stem,
                f'{1e3 * seconds["step"]:.1f} ms',
                f'{1e3 * seconds["check"]:.3f} ms',
                f'{seconds["check"] / seconds["step"]:.2%}',
            ]
        )
    print(f'batch {args.batch}; {machine(args.device)}')
    print(markdown_table([['recipe', 'step', 'check', 'check / step'], *rows]))


if __name__ == '__main__':
    main()
