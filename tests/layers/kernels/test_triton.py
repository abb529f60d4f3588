"""The Triton kernels without a GPU: interpreted, and compiled for one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip('triton')


@pytest.mark.skipif(torch.cuda.is_available(), reason='tested on the GPU itself')
def test_in_the_interpreter():
    """TRITON_INTERPRET is read when triton is imported: a process of its own."""
    cases = 'float64 or bfloat16 or dtypes or strides or nan'  # it is slow
    command = [sys.executable, '-m', 'pytest', '-q', '-k', cases]
    result = subprocess.run(
        [*command, str(Path(__file__).with_name('test_window_attention.py'))],
        env={**os.environ, 'TRITON_INTERPRET': '1', 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert ' passed' in result.stdout


@pytest.mark.skipif('TRITON_INTERPRET' in os.environ, reason='interpreted')
@pytest.mark.parametrize(
    'kernel', ['_forward', '_backward_query', '_backward_key_value']
)
@pytest.mark.parametrize(
    ('maps', 'sizes'),
    [
        ('bf16', {}),
        ('fp32', dict.fromkeys(('C', 'H', 'W', 'stride_p'), 1)),
        ('fp64', {}),
    ],
)
def test_compiles_for_hopper(kernel, maps, sizes):
    """The interpreter accepts what the compiler does not."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from famkd.layers.kernels import triton as kernels

    function = getattr(kernels, kernel)
    constants = {'BLOCK_P': 16, 'BLOCK_C': 16, **sizes}  # a size of 1 is a constant
    softmax = 'fp64' if maps == 'fp64' else 'fp32'
    signature = {
        name: 'constexpr'
        if name in constants
        else f'*{softmax if name[:-4] in ("bias", "grad_bias", "out", "lse") else maps}'
        if name.endswith('_ptr')
        else 'i32'
        for name in function.arg_names
    }
    source = ASTSource(function, signature, constants)
    compiled = compile(source, GPUTarget('cuda', 90, warp_size=32))
    assert 'sm_90' in compiled.asm['ptx']
