import pytest
import torch

from famkd.runtime.finite import non_finite


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_the_tensor_is_named(value, dtype):
    content = dict(a=torch.ones(3), b=[dict(c=torch.tensor([1, value], dtype=dtype))])
    assert non_finite(content) == ['b.0.c']


def test_other_things_are_finite():
    huge = torch.full((2,), 3e38)  # its norm overflows
    content = dict(a=huge, b=torch.arange(3), c='nan', d=float('inf'), e=torch.ones(0))
    assert non_finite(content) == []
    assert non_finite({}) == []


def test_lists_that_hold_themselves_or_one_another_often():
    own, often = [torch.ones(1)], (torch.tensor(float('nan')),)
    own.append(own)
    for _ in range(60):
        often = (often, often)
    assert len(non_finite(dict(own=own, often=often))) == 1
