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
from pathlib import Path

import torch
from torch import Tensor

SOURCES = sorted(Path(__file__).parent.glob('*.cpp'))
FLAGS = '-std=c++17 -O3 -march=native -ffp-contract=fast -fopenmp -fPIC -shared'


def call(function: str, *tensors: Tensor) -> None:
    """Call a kernel with the tensors, the first one's shape and the thread count.

    Args:
        function: Name of the kernel, without the dtype.
        tensors: Contiguous tensors on the CPU. The first one's dtype decides
            which kernel it is.
    """
    dtype = str(tensors[0].dtype).removeprefix('torch.')
    getattr(library(), f'{function}_{dtype}')(
        *(ctypes.c_void_p(x.data_ptr()) for x in tensors),
        *map(ctypes.c_long, tensors[0].shape),
        ctypes.c_int(torch.get_num_threads()),
    )


@functools.cache
def library() -> ctypes.CDLL:
    """Load the compiled kernels, compiling them if the cache does not hold them.

    The compiler is ``$CXX``, else ``c++``, ``g++`` or ``clang++``; the cache is
    ``$XDG_CACHE_HOME/famkd``, by default ``~/.cache/famkd``.

    Raises:
        RuntimeError: If the kernels cannot be compiled, stored or loaded.
    """
    found = next(filter(shutil.which, ('c++', 'g++', 'clang++')), 'c++')
    compiler = shlex.split(os.environ.get('CXX') or found)
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser() / 'famkd'
    try:
        version = _run(*compiler, '--version')
        texts = [source.read_text() for source in SOURCES]
        key = '\0'.join([*texts, FLAGS, *compiler, version, _processor()])
        path = cache / f'kernels-{hashlib.sha256(key.encode()).hexdigest()}.so'
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            # several processes may do this at once: each renames a complete file
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                built = Path(folder) / path.name
                sources = map(str, SOURCES)
                _run(*compiler, *FLAGS.split(), *sources, '-o', str(built))
                built.replace(path)
        return ctypes.CDLL(str(path))
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, 'stderr', None) or error
        raise RuntimeError(
            f'the CPU kernels cannot be compiled with {shlex.join(compiler)} '
            f'(CXX) into {cache} (XDG_CACHE_HOME): {reason}'
        ) from error


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _processor() -> str:
    """What decides the code that -march=native makes."""
    info = Path('/proc/cpuinfo')
    if not info.exists():
        return platform.machine() + platform.processor()
    names = ('model name', 'flags', 'Features', 'CPU part')
    return '\n'.join(
        sorted({x for x in info.read_text().splitlines() if x.startswith(names)})
    )
