import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.functional import conv2d

from famkd.layers.kernels import gated_sum as module
from famkd.layers.kernels.compiled import works
from famkd.layers.kernels.gated_sum import gated_sum

# Of one channel and place, fewer than a vector has, and more places than a chunk.
SHAPES = [(1, 1, 1, 1), (0, 3, 2, 2), (2, 6, 7, 5), (3, 17, 1, 9), (2, 33, 35, 33)]
LAST = torch.channels_last


@pytest.fixture(params=['kernel', 'torch'])
def form(request, monkeypatch):
    """With the C++ kernel, and without one."""
    assert works()
    if request.param == 'torch':
        monkeypatch.setattr(module, 'works', lambda: False)


def operands(shape, dtype=torch.float64, weights=None):
    torch.manual_seed(0)
    a, b = torch.randn(2, *shape, dtype=torch.double).to(dtype)
    weight = torch.randn(2, 2 * shape[1], 1, 1, dtype=torch.double) / shape[1] ** 0.5
    bias = torch.randn(2, dtype=torch.double)
    return a, b, weight.to(weights or dtype), bias.to(weights or dtype)


def formula(a, b, weight, bias):
    z = torch.sigmoid(conv2d(torch.cat((a, b), dim=1), weight, bias))
    return z[:, :1] * a + z[:, 1:] * b


def with_gradients(function, tensors, grad):
    tensors = [x.detach().requires_grad_() for x in tensors]
    out = function(*tensors)
    return [out, *torch.autograd.grad(out, tensors, grad.to(out.dtype))]


@pytest.mark.parametrize(
    ('dtype', 'rtol', 'atol'),
    [
        (torch.float64, 1e-12, 1e-12),
        (torch.float32, 1e-5, 1e-5),
        (torch.bfloat16, 0.02, 0.02),
    ],
)
@pytest.mark.parametrize('shape', SHAPES)
def test_equals_the_formula(shape, dtype, rtol, atol, form):
    tensors = operands(shape, dtype)
    grad = torch.randn(shape, dtype=torch.double).to(dtype)
    found = with_gradients(gated_sum, tensors, grad)
    expected = with_gradients(formula, [x.double() for x in tensors], grad.double())
    # The sums over all places of bfloat16 are rounded by PyTorch, not by the kernel.
    scale = max(1.0, (shape[0] * shape[2] * shape[3]) ** 0.5)
    for ours, theirs, factor in zip(
        found, expected, (1, 1, 1, scale, scale), strict=True
    ):
        assert ours.dtype == dtype
        torch.testing.assert_close(ours.double(), theirs, rtol=rtol, atol=factor * atol)


def test_maps_of_bfloat16_are_computed_in_float32():
    a, b, weight, bias = operands((2, 40, 9, 8), torch.bfloat16, torch.float32)
    out = gated_sum(a, b, weight, bias)
    expected = formula(*(x.double() for x in (a, b, weight, bias)))
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, expected.bfloat16(), rtol=0.01, atol=0)
    # Of a map of another dtype the wider one counts.
    assert gated_sum(a, b.float(), weight, bias).dtype == torch.float32


def test_autocast(form):
    tensors = operands((2, 6, 7, 5), torch.float32)
    with torch.autocast('cpu', torch.bfloat16):
        out = gated_sum(*tensors)
    torch.testing.assert_close(out.float(), formula(*tensors), rtol=0.02, atol=0.02)


@pytest.mark.parametrize('formats', [(LAST, None), (None, LAST), (LAST, LAST)])
def test_memory_formats(formats, form):
    shape = 3, 18, 5, 7
    a, b, weight, bias = operands(shape)
    grad = torch.randn(shape, dtype=torch.double)
    expected = with_gradients(formula, (a, b, weight, bias), grad)
    a, b = (
        x.to(memory_format=format) if format else x
        for x, format in zip((a, b), formats, strict=True)
    )
    found = with_gradients(gated_sum, (a, b, weight, bias), grad.mT.contiguous().mT)
    torch.testing.assert_close(found, expected)
    if formats == (LAST, LAST):
        assert found[0].is_contiguous(memory_format=LAST)


@pytest.mark.parametrize('needed', [(0, 1, 2, 3), (0,), (1, 3), (2, 3)])
def test_derivatives(needed, form):
    tensors = list(operands((2, 3, 2, 3)))
    for i in needed:
        tensors[i].requires_grad_()
    assert torch.autograd.gradcheck(gated_sum, tensors)
    assert torch.autograd.gradgradcheck(gated_sum, tensors)


def test_second_derivatives_of_bfloat16(form):
    tensors = operands((2, 6, 7, 5), torch.bfloat16, torch.float32)
    a, *others = (x.requires_grad_() for x in tensors)
    (grad,) = torch.autograd.grad(gated_sum(a, *others).sum(), a, create_graph=True)
    (second,) = torch.autograd.grad(grad.square().sum(), a)
    assert second.dtype == torch.bfloat16
    assert second.isfinite().all() and second.any()


def test_forward_derivatives_are_refused():
    tensors = operands((2, 3, 4, 4))
    with pytest.raises(RuntimeError, match='jvp'):
        torch.func.jvp(lambda a: gated_sum(a, *tensors[1:]), tensors[:1], tensors[1:2])


def test_a_compiled_function():
    tensors = operands((2, 3, 4, 4), torch.float32)
    compiled = torch.compile(gated_sum, fullgraph=True, backend='eager')
    torch.testing.assert_close(compiled(*tensors), gated_sum(*tensors))


def test_whole_numbers():
    maps = torch.zeros(2, 2, 3, 4, 4, dtype=torch.int64)
    with pytest.raises(ValueError, match='floating-point numbers, got torch.int64'):
        gated_sum(*maps, *operands((2, 3, 4, 4))[2:])


def test_gates_that_are_shut_and_open(form):
    a, b, weight, bias = operands((1, 2, 3, 3), torch.float32)
    bias = torch.tensor([1e4, -1e4])
    torch.testing.assert_close(gated_sum(a, b, 0 * weight, bias), a)
    bias[:] = float('inf')
    found = with_gradients(gated_sum, (a, b, 0 * weight, bias), torch.ones(1, 2, 3, 3))
    torch.testing.assert_close(found[0], a + b)
    assert all(x.isfinite().all() for x in found)


def test_what_is_no_number_stays_where_it_is(form):
    a, b, weight, bias = operands((2, 3, 4, 5), torch.float32)
    a[0, 1, 2, 3] = float('nan')
    out = gated_sum(a, b, weight, bias)
    spoilt = torch.zeros_like(out, dtype=torch.bool)
    spoilt[0, :, 2, 3] = True
    assert torch.equal(out.isnan(), spoilt)


def test_the_number_of_threads_changes_nothing(set_threads):
    tensors = operands((3, 9, 41, 39), torch.float32)
    results = []
    for threads in (1, 3):
        set_threads(threads)
        results.append(with_gradients(gated_sum, tensors, tensors[1]))
    assert all(torch.equal(x, y) for x, y in zip(*results, strict=True))


def test_float16():
    tensors = operands((2, 6, 7, 5), torch.float16)
    expected = formula(*(x.double() for x in tensors))
    torch.testing.assert_close(
        gated_sum(*tensors).double(), expected, rtol=0.01, atol=0.01
    )


def test_tracing():
    tensors = [x.requires_grad_() for x in operands((2, 3, 4, 4), torch.float32)]

    def gradients(*tensors):
        return torch.autograd.grad(gated_sum(*tensors).square().sum(), tensors)

    traced = make_fx(gradients, tracing_mode='fake')(*tensors)
    torch.testing.assert_close(traced(*tensors), gradients(*tensors))


@pytest.mark.parametrize(
    'shapes',
    [
        [(2, 3, 4), (2, 3, 4), (2, 6, 1, 1), (2,)],
        [(2, 3, 4, 4), (2, 3, 4, 5), (2, 6, 1, 1), (2,)],
        [(2, 3, 4, 4), (2, 3, 4, 4), (2, 3, 1, 1), (2,)],
        [(2, 3, 4, 4), (2, 3, 4, 4), (2, 6, 1, 1), (1,)],
    ],
)
def test_other_shapes(shapes):
    with pytest.raises(ValueError, match=r'shapes must be \(N, C, H, W\) twice'):
        gated_sum(*map(torch.zeros, shapes))
