"""The reference form is the yardstick, so it is held against the released numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from famkd.layers.reference import ReferenceFrequencyAttention

GOLDEN = Path(__file__).parents[1] / 'data/golden'


@pytest.mark.parametrize('path', sorted(GOLDEN.glob('fam_*.npz')), ids=lambda p: p.stem)
def test_equals_the_released_code(path):
    golden = {k: torch.from_numpy(v) for k, v in np.load(path).items() if k != 'meta'}
    filter = torch.complex(golden['filter_real'], golden['filter_imag'])
    module = ReferenceFrequencyAttention(*filter.shape[:2], filter.shape[2:])
    module.load_full_spectrum(filter)
    for name in ('local.weight', 'local.bias', 'gamma1', 'gamma2'):
        module.get_parameter(name).data.copy_(golden[name.replace('.', '_')])
    x = golden['x'].requires_grad_()
    out = module(x)
    out.backward(golden['grad_out'])
    pairs = [
        (out, golden['out']),
        (x.grad, golden['grad_x']),
        (module.filter.grad[0], golden['grad_filter_real']),
        (module.filter.grad[1], golden['grad_filter_imag']),
    ]
    for ours, expected in pairs:
        atol = 1e-5 * expected.abs().max().item()
        torch.testing.assert_close(ours, expected, rtol=0, atol=atol)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    # As in autocast on a GPU, which hands transforms what it gets.
    torch.manual_seed(0)
    layer = ReferenceFrequencyAttention(3, 4, (5, 7))
    x = torch.randn(2, 3, 5, 7)
    expected = layer(x)
    layer.local.to(dtype)
    out = layer(x.to(dtype))
    assert (out - expected).abs().max() < 1e-2 * expected.abs().max()
