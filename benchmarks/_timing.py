"""Shared by the benchmarks: interleaved timing, peak memory, the machine."""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

# What a step is timed in; the halves are autocast.
DTYPES = ('float32', 'bfloat16', 'float16')


def interleaved(
    functions: dict[str, Callable[[], object]],
    rounds: int,
    device: str,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of each function, timed in turns.

    Machines are noisy and drift: in turns, every function meets the same noise,
    so the ratios hold where the seconds do not.

    Args:
        functions: What to time, by name.
        rounds: Timed calls of each, after two that are not counted.
        device: Device whose queue is waited for, ``'cpu'`` or ``'cuda'``.
        clock: What gives the seconds. Defaults to ``time.perf_counter``.

    Returns:
        dict: Median seconds by name.
    """
    seconds = {name: [] for name in functions}
    for i in range(rounds + 2):
        for name, function in functions.items():
            _wait(device)
            start = clock()
            function()
            _wait(device)
            if i >= 2:
                seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def add_clock(parser: argparse.ArgumentParser) -> None:
    """Adds the option that chooses ``args.clock``, for :func:`interleaved`."""
    parser.add_argument(
        '--processor-time',
        dest='clock',
        action='store_const',
        const=time.process_time,
        default=time.perf_counter,
        help='not the time that passes: for --threads 1 beside other work',
    )


def _wait(device: str) -> None:
    if device == 'cuda':
        torch.cuda.synchronize()


def peak_mb_of(run: Callable[[], object], device: str, steps: int = 3) -> float:
    """Peak memory of some steps in MB; for a process that does nothing else.

    Args:
        run: One step.
        device: On ``'cuda'``, what torch allocates; on ``'cpu'`` (Linux), by how
            much the process grows.
        steps: How often it is run. Defaults to 3.
    """
    if device == 'cpu':
        # The peak so far, of imports, is forgotten.
        Path('/proc/self/clear_refs').write_text('5')
        before = resident_kb('VmRSS')
    for _ in range(steps):
        run()
    if device == 'cpu':
        return (resident_kb('VmHWM') - before) / 2**10
    return torch.cuda.max_memory_allocated() / 2**20


def resident_kb(field: str, process: int | str = 'self') -> int:
    """Memory of a process, in KB.

    Args:
        field: VmRSS (resident now) or VmHWM (its peak).
        process: Number of the process. Defaults to 'self'.

    Raises:
        LookupError: If the process has no such field.
    """
    for line in Path(f'/proc/{process}/status').read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise LookupError(field)


def machine(device: str) -> str:
    """One line on where a figure was measured."""
    if device == 'cuda':
        name = torch.cuda.get_device_name()
    else:
        name = f'{_cpu_name()}, {torch.get_num_threads()} threads'
    return f'{name}; torch {torch.__version__}, Python {platform.python_version()}'


def _cpu_name() -> str:
    info = Path('/proc/cpuinfo')
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()
