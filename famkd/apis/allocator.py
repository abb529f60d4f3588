"""How the C library handles memory that PyTorch frees on the CPU."""

import ctypes
import os

# from malloc.h of glibc
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST = 32 * 2**20  # of M_MMAP_THRESHOLD, on 64 bits


def keep_freed_memory() -> bool:
    """Has glibc keep what is freed for the next step, in place of the system.

    Every step of a training asks for the same blocks again. By default glibc gives
    those above some size back to the system, and the system hands out pages of zeros:
    on a CPU that is several percent of a step. The process then stays as large as it
    was at its largest. Nothing is done where the environment says something about
    ``malloc`` (``MALLOC_*``, ``GLIBC_TUNABLES``), or where the library is another one.

    Returns:
        bool: Whether it is done.
    """
    if any(name.startswith(('MALLOC_', 'GLIBC_TUNABLES')) for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc
        return False
    settings = {M_MMAP_THRESHOLD: LARGEST, M_TRIM_THRESHOLD: 2**31 - 1}
    done = [mallopt(name, value) == 1 for name, value in settings.items()]
    return all(done)
