"""Where the time goes that FAM-KD adds to a step.

    python benchmarks/step_profile.py --pair resnet56_resnet20

Profiles a step of a pair's FAM-KD recipe, the student's own step and the teacher's
forward with PyTorch's profiler, and prints by kind of operator what the first takes
more than the other two. What the profiler itself takes counts, too: small operators
look dearer than they are.
"""

import argparse
from collections import Counter
from collections.abc import Callable

import torch
from _timing import DTYPES, machine
from distill_step import variants
from torch.profiler import ProfilerActivity, profile

from famkd.apis.allocator import keep_freed_memory
from famkd.apis.tables import markdown_table

# Parts of the operators' names, the first that fits counts.
KINDS = {
    'window attention': ('window_attention',),
    'transforms': ('to_spectrum', 'from_spectrum'),
    'matrix products': ('aten::bmm', 'aten::mm', 'aten::addmm'),
    'convolutions': ('conv',),
    'BN': ('batch_norm',),
    'resizing': ('upsample', 'index_select'),
    'the rest': ('',),
}


def milliseconds(run: Callable[[], None], steps: int) -> Counter:
    """Time of the kinds of operators in a call, without what they call."""
    total = Counter()
    for _ in range(steps):
        # What the profiler keeps splits the blocks that a step frees: a second
        # profiled step would get new pages from the system, and be slower.
        for _ in range(3):
            run()
        with profile(activities=[ProfilerActivity.CPU]) as measured:
            run()
        for event in measured.key_averages():
            kind = next(
                k for k, parts in KINDS.items() if any(p in event.key for p in parts)
            )
            total[kind] += event.self_cpu_time_total / steps / 1e3
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--pair', default='resnet56_resnet20', metavar='TEACHER_STUDENT'
    )
    parser.add_argument('--dtype', default='float32', choices=DTYPES)
    parser.add_argument('--channels-last', action='store_true', help='as in train.py')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--steps', type=int, default=6, help='profiled ones of each')
    args = parser.parse_args()
    args.device = 'cpu'
    torch.set_num_threads(args.threads)
    keep_freed_memory()  # as tools/train.py does

    names = ('student_step', 'teacher_forward', 'step')
    runs = variants(args, args.pair, names)
    student, teacher, step = (milliseconds(runs[name], args.steps) for name in names)
    alone = student.total() + teacher.total()
    lines = []
    for kind in KINDS:
        added = step[kind] - student[kind] - teacher[kind]
        lines.append([kind, f'{added:.1f}', f'{added / alone:.1%}'])
    added = step.total() - alone
    lines.append(['all', f'{added:.1f}', f'{added / alone:.1%}'])
    print(f'{args.pair}, batch {args.batch}, {args.dtype}; {machine(args.device)}')
    print(markdown_table([['added by', 'ms', 'of student and teacher'], *lines]))


if __name__ == '__main__':
    main()
