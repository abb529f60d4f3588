"""The C++ kernels: compiled on first use into one library, cached, called by ctypes."""

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

FOLDER = Path(__file__).parent
SOURCES = sorted(FOLDER.glob('*.cpp'))
HEADERS = sorted(FOLDER.glob('*.h'))
FLAGS = '-std=c++17 -O3 -march=native -ffp-contract=fast -fopenmp -fPIC -shared'


def call(function: str, tensors: Sequence[Tensor], sizes: Sequence[int]) -> None:
    """Calls a kernel with the tensors, the sizes and the thread count.

    Args:
        function: Name of the kernel, without the dtype.
        tensors: Tensors on the CPU, laid out as the kernel expects. The first one's
            dtype decides which kernel it is.
        sizes: Whole numbers that the kernel takes.
    """
    dtype = str(tensors[0].dtype).removeprefix('torch.')
    getattr(library(), f'{function}_{dtype}')(
        *(ctypes.c_void_p(x.data_ptr()) for x in tensors),
        *map(ctypes.c_long, sizes),
        ctypes.c_int(torch.get_num_threads()),
    )


@functools.cache
def library() -> ctypes.CDLL:
    """Loads the compiled kernels, compiling them if the cache does not hold them.

    The compiler is ``$CXX``, else ``c++``, ``g++`` or ``clang++``; the cache is
    ``$XDG_CACHE_HOME/famkd``, by default ``~/.cache/famkd``. What it holds is used
    where there is no compiler, too.

    Raises:
        RuntimeError: If the kernels cannot be compiled, stored or loaded.
    """
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser() / 'famkd'
    texts = [path.read_text() for path in (*HEADERS, *SOURCES)]
    key = '\0'.join([*texts, FLAGS, processor()])
    path = cache / f'kernels-{hashlib.sha256(key.encode()).hexdigest()}.so'
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        pass  # not compiled yet, or damaged
    found = next(filter(shutil.which, ('c++', 'g++', 'clang++')), 'c++')
    compiler = os.environ.get('CXX') or found
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # several processes may do this at once: each renames a complete file
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            built = Path(folder) / path.name
            command = [*shlex.split(compiler), *FLAGS.split(), *map(str, SOURCES)]
            subprocess.run(
                [*command, '-o', built], check=True, capture_output=True, text=True
            )
            built.replace(path)
        return ctypes.CDLL(str(path))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = getattr(error, 'stderr', None) or error
        raise RuntimeError(
            f'the CPU kernels cannot be compiled with {compiler} (CXX) into {cache} '
            f'(XDG_CACHE_HOME): {reason}'
        ) from error


@functools.cache
def works() -> bool:
    """Whether the kernels can be used here; warns, once, where they cannot."""
    try:
        library()
    except RuntimeError as error:
        warn_of_fallback(error)
        return False
    return True


def warn_of_fallback(reason: Exception) -> None:
    """Warns that layers are slow without a kernel."""
    warnings.warn(
        f'famkd: layers fall back to slow forms, since a kernel is missing: {reason}',
        stacklevel=2,
    )


@functools.cache
def processor() -> str:
    """The processor, as far as it decides the code that -march=native makes."""
    info = Path('/proc/cpuinfo')
    if not info.exists():
        return platform.machine() + platform.processor()
    names = ('model name', 'flags', 'Features', 'CPU part')
    return '\n'.join(
        sorted({x for x in info.read_text().splitlines() if x.startswith(names)})
    )
