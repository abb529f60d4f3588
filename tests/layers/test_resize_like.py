import itertools

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn.functional import interpolate

from famkd.layers import resize_like


@pytest.mark.parametrize('side', [1, 2])
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_values_and_layout(side, layout):
    x = torch.randn(2, 3, side, side)
    like = torch.empty(2, 5, 4, 6).to(memory_format=layout)
    out = resize_like(x, like)
    rows, columns = torch.arange(4) * side // 4, torch.arange(6) * side // 6
    torch.testing.assert_close(out, x[..., rows[:, None], columns])
    assert out.is_contiguous(memory_format=layout)


def test_a_map_of_that_size_is_left_alone():
    x = torch.randn(2, 3, 4, 6)
    assert resize_like(x, torch.empty(2, 5, 4, 6)) is x


def test_values_and_gradient_are_those_of_interpolate():
    for length, resized in itertools.product(range(1, 20), [1, 2, 3, 5, 13, 40, 49]):
        x = torch.randn(1, 2, length, 3, requires_grad=True)
        like = torch.empty(1, 1, resized, 7)
        out, grad = resize_like(x, like), torch.randn(1, 2, resized, 7)
        expected = interpolate(x, (resized, 7), mode='nearest')
        assert torch.equal(out, expected), (length, resized)
        grads = [torch.autograd.grad(y, x, grad)[0] for y in (out, expected)]
        torch.testing.assert_close(*grads, msg=str((length, resized)))


def test_gradcheck():
    x = torch.randn(2, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    like = torch.empty(2, 1, 5, 4)
    assert gradcheck(lambda x: resize_like(x, like), x)


def test_another_default_device():
    x, like = torch.rand(1, 1, 2, 2), torch.empty(1, 1, 4, 4)
    with torch.device('meta'):
        out = resize_like(x, like)
    assert torch.equal(out, interpolate(x, (4, 4), mode='nearest'))
