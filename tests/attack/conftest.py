"""Limits of time and memory for each attack."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SECONDS, MEGABYTES = 30, 1000


def _status(name: str) -> float:
    """Memory of this process, in megabytes: ``VmRSS`` now, ``VmHWM`` at most so far."""
    text = Path('/proc/self/status').read_text()
    return int(text.split(f'{name}:')[1].split()[0]) / 1024


@contextmanager
def _limits() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise AssertionError(f'took more than {SECONDS} s')

    can_measure = Path('/proc/self/clear_refs').exists()  # Linux
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    if can_measure:
        Path('/proc/self/clear_refs').write_text('5')  # forgets the most so far
        memory = _status('VmRSS')
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    if can_measure:
        used = _status('VmHWM') - memory
        assert used < MEGABYTES, f'took {used:.0f} MB'


@pytest.fixture
def limits():
    """Context in which nothing may take more than 30 s or 1 GB."""
    return _limits
