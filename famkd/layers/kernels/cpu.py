"""The C++ window attention kernel: compiled on first use, cached, called by ctypes."""

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

SOURCE = Path(__file__).with_name('window_attention.cpp')
FLAGS = '-std=c++17 -O3 -march=native -ffp-contract=fast -fopenmp -fPIC -shared'


def check(device: str) -> None:
    """Raise ValueError if not for this device, RuntimeError if it cannot compile."""
    if device != 'cpu':
        raise ValueError(
            f"window attention backend 'cpu' needs tensors on the CPU, got {device}"
        )
    library()


def forward(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Window attention of contiguous tensors, all float32 or all float64."""
    out = torch.empty_like(query)
    _call('forward', query, key, value, bias, out)
    return out


def backward(
    grad_out: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of query, key, value and bias."""
    grads = [torch.empty_like(query) for _ in range(3)]
    # summed over the batch here, in an order that no thread count changes
    grad_bias = query.new_empty(len(query), *bias.shape)
    _call('backward', grad_out, query, key, value, bias, *grads, grad_bias)
    return *grads, grad_bias.sum(0)


def _call(direction: str, *tensors: Tensor) -> None:
    dtype = str(tensors[0].dtype).removeprefix('torch.')
    function = getattr(library(), f'{direction}_{dtype}')
    function(
        *(ctypes.c_void_p(x.data_ptr()) for x in tensors),
        *map(ctypes.c_long, tensors[0].shape),
        ctypes.c_int(torch.get_num_threads()),
    )


@functools.cache
def library() -> ctypes.CDLL:
    """Load the compiled kernel, compiling it if the cache does not hold it.

    The compiler is ``$CXX``, else ``c++``, ``g++`` or ``clang++``; the cache is
    ``$XDG_CACHE_HOME/famkd``, by default ``~/.cache/famkd``.

    Raises:
        RuntimeError: If the kernel cannot be compiled, stored or loaded.
    """
    found = next(filter(shutil.which, ('c++', 'g++', 'clang++')), 'c++')
    compiler = shlex.split(os.environ.get('CXX') or found)
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser() / 'famkd'
    try:
        version = _run(*compiler, '--version')
        key = '\0'.join([SOURCE.read_text(), FLAGS, *compiler, version, _processor()])
        path = cache / f'{SOURCE.stem}-{hashlib.sha256(key.encode()).hexdigest()}.so'
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            # several processes may do this at once: each renames a complete file
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                built = Path(folder) / path.name
                _run(*compiler, *FLAGS.split(), str(SOURCE), '-o', str(built))
                built.replace(path)
        return ctypes.CDLL(str(path))
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, 'stderr', None) or error
        raise RuntimeError(
            f'the CPU kernel cannot be compiled with {shlex.join(compiler)} '
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
