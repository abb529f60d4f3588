import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from famkd.layers.kernels import squared_error
from famkd.layers.kernels.compiled import works
from famkd.layers.kernels.squared_error import mean_squared_error

# More numbers than a chunk has, fewer than a vector, and none.
SHAPES = [(), (0, 3), (1,), (17,), (2, 3, 5, 7), (3, 16, 32, 32)]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@pytest.fixture(params=['kernel', 'torch'])
def form(request, monkeypatch):
    """With the C++ kernel, and without one."""
    assert works()
    if request.param == 'torch':
        monkeypatch.setattr(squared_error, 'works', lambda: False)


def pair(shape, dtype, other=None):
    torch.manual_seed(0)
    a, b = torch.randn(2, *shape, dtype=torch.double)
    return a.to(dtype).requires_grad_(), b.to(other or dtype).requires_grad_()


@pytest.mark.parametrize('other', [None, torch.float32])
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', SHAPES)
def test_equals_mse_loss_in_double(shape, dtype, other, form):
    a, b = pair(shape, dtype, other)
    wide = [x.detach().double().requires_grad_() for x in (a, b)]
    value = mean_squared_error(a, b)
    common = torch.promote_types(a.dtype, b.dtype)
    assert value.dtype == torch.promote_types(common, torch.float32)
    expected = torch.nn.functional.mse_loss(*wide)
    torch.testing.assert_close(value, expected.to(value.dtype), equal_nan=True)
    grads = torch.autograd.grad(value, (a, b))
    for grad, x, true in zip(
        grads, (a, b), torch.autograd.grad(expected, wide), strict=True
    ):
        assert grad.dtype == x.dtype
        torch.testing.assert_close(grad, true.to(x.dtype))


def test_the_gradient_lies_in_memory_as_the_first_map(form):
    a, b = (x.detach() for x in pair((4, 6, 5, 3), torch.float32))
    expected = mean_squared_error(a, b)
    last = torch.channels_last
    for x, y in [
        (a.to(memory_format=last), b),
        (a, b.to(memory_format=last)),
        (a.mT.contiguous().mT, b),
        (torch.cat((a, b), 1)[:, :6], b),
    ]:
        x.requires_grad_()
        value = mean_squared_error(x, y)
        torch.testing.assert_close(value, expected)
        (grad,) = torch.autograd.grad(value, x)
        torch.testing.assert_close(grad, 2 * (a - b) / a.numel())
        assert grad.stride() == torch.empty_like(x).stride()


def test_a_difference_of_half_precision_does_not_overflow(form):
    a = torch.full((2, 3), 6e4, dtype=torch.float16, requires_grad=True)
    (grad,) = torch.autograd.grad(mean_squared_error(a, -a.detach()), a)
    torch.testing.assert_close(grad, torch.full_like(grad, 4e4))


def test_the_number_of_threads_changes_nothing(set_threads):
    a, b = pair((5, 16, 33, 31), torch.float32)
    values = []
    for threads in (1, 3):
        set_threads(threads)
        values.append(mean_squared_error(a, b))
    assert values[0] == values[1]


def test_derivatives():
    a, b = pair((2, 3, 5), torch.float64)
    assert torch.autograd.gradcheck(mean_squared_error, (a, b))
    assert torch.autograd.gradgradcheck(mean_squared_error, (a, b))


def test_shapes_must_be_equal():
    with pytest.raises(ValueError, match=r'shapes differ: \(40, 3\) and \(2, 3\)'):
        mean_squared_error(torch.zeros(40, 3), torch.zeros(2, 3))


@pytest.mark.parametrize('dtype', [torch.uint8, torch.complex64])
def test_dtypes_without_a_kernel(dtype):
    a = torch.full((3, 5), 7).to(dtype)
    torch.testing.assert_close(mean_squared_error(a, a - 2).real, torch.tensor(4.0))


def test_tracing_sees_operators():
    a, b = pair((2, 3, 5), torch.float32)

    def gradient(a, b):
        return torch.autograd.grad(mean_squared_error(a, b), a)

    graph = make_fx(gradient, tracing_mode='fake')(a, b)
    torch.testing.assert_close(graph(a, b), gradient(a, b))
    a, b = a.detach(), b.detach()
    torch.library.opcheck(squared_error._squared_error, (a, b))
    factor = torch.tensor(2.0)
    torch.library.opcheck(squared_error._scaled_difference, (a, b, factor))
