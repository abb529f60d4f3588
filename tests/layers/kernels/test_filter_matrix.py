import pytest
import torch

from famkd.layers.kernels import filter_matrix as module
from famkd.layers.kernels.compiled import works
from famkd.layers.kernels.filter_matrix import filter_gradients, filter_matrix

# Bins, input and output channels: more and fewer bins than are summed up at a time,
# rows of more and fewer numbers than lanes.
SHAPES = [(1, 1, 1), (7, 3, 5), (8, 16, 16), (20, 33, 2), (17, 2, 70), (0, 2, 3)]
FORMS = [(torch.float64, False), (torch.float32, False), (torch.float32, True)]


@pytest.fixture(params=['kernel', 'torch'])
def form(request, monkeypatch):
    """With the C++ kernel, and without one."""
    assert works()
    if request.param == 'torch':
        monkeypatch.setattr(module, 'works', lambda: False)


def operands(shape, dtype):
    torch.manual_seed(0)
    bins, rows, columns = shape
    weight, scale = torch.randn(*shape, 2, dtype=dtype), torch.rand(bins, dtype=dtype)
    return weight, scale, torch.randn(rows, columns, dtype=dtype)


def definition(weight, scale, pointwise):
    """aP + W, in double."""
    filter = torch.view_as_complex(weight.double())
    return filter * scale.double()[:, None, None] + pointwise.double()


def as_real(filter):
    """The real matrices that act on (re, im) as complex ones act on their number."""
    bins, rows, columns = filter.shape
    units = torch.tensor([1, 1j], dtype=filter.dtype)
    products = torch.view_as_real(units[:, None] * filter[:, :, None])
    return products.reshape(bins, 2 * rows, 2 * columns)


@pytest.mark.parametrize(('dtype', 'bfloat16'), FORMS)
@pytest.mark.parametrize('shape', SHAPES)
def test_is_its_definition(shape, dtype, bfloat16, form, threads):
    weight, scale, pointwise = operands(shape, dtype)
    expected = definition(weight, scale, pointwise)
    if bfloat16:
        matrix = filter_matrix(weight, scale, pointwise, bfloat16)
        torch.testing.assert_close(matrix, as_real(expected).bfloat16())
    else:
        for conjugate, true in ((False, expected), (True, expected.conj())):
            matrix = filter_matrix(weight, scale, pointwise, bfloat16, conjugate)
            assert not matrix.is_conj()
            torch.testing.assert_close(matrix, true.to(dtype.to_complex()))


@pytest.mark.parametrize(('dtype', 'bfloat16'), FORMS)
@pytest.mark.parametrize('shape', SHAPES)
def test_gradients_are_those_of_autograd(shape, dtype, bfloat16, form, threads):
    leaves = [x.double().requires_grad_() for x in operands(shape, dtype)]
    matrix = definition(*leaves)
    matrix = as_real(matrix) if bfloat16 else matrix
    given = torch.bfloat16 if bfloat16 else dtype.to_complex()
    grad = torch.randn(matrix.shape, dtype=matrix.dtype).to(given)
    counts = torch.arange(shape[0], dtype=dtype) % 3
    weighted = grad.to(matrix.dtype) * counts.view(-1, 1, 1)
    expected = torch.autograd.grad(matrix, leaves, weighted)
    weight, scale, _ = operands(shape, dtype)
    found = filter_gradients(grad.clone(), weight, scale, counts)
    for gradient, true in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, true.to(dtype), rtol=1e-5, atol=1e-4)


def test_the_number_of_threads_changes_nothing(set_threads):
    weight, scale, _ = operands((40, 8, 24), torch.float32)
    grad = torch.randn(40, 8, 24, dtype=torch.cfloat)
    results = []
    for threads in (1, 3):
        set_threads(threads)
        results.append(filter_gradients(grad.clone(), weight, scale, scale))
    for one, three in zip(*results, strict=True):
        assert torch.equal(one, three)


@pytest.mark.parametrize('bfloat16', [False, True])
def test_values_that_are_not_finite(bfloat16, form):
    weight = torch.tensor([[[[torch.inf, 1.0], [torch.nan, 2.0]]]])
    matrix = filter_matrix(weight, torch.ones(1), torch.zeros(1, 2), bfloat16)
    rows = matrix.float() if bfloat16 else torch.view_as_real(matrix).flatten(2)
    expected = torch.tensor([[torch.inf, 1.0, torch.nan, 2.0]])
    below = torch.tensor([[-1.0, torch.inf, -2.0, torch.nan]])
    expected = torch.cat((expected, below)) if bfloat16 else expected
    torch.testing.assert_close(rows[0], expected, equal_nan=True)


@pytest.mark.parametrize('bfloat16', [False, True])
def test_tracing_sees_operators(bfloat16):
    weight, scale, pointwise = operands((7, 3, 5), torch.float32)
    given = (weight, scale, pointwise, bfloat16, not bfloat16)
    torch.library.opcheck(module._filter_matrix, given)
    grad = torch.randn_like(filter_matrix(*given))
    torch.library.opcheck(module._filter_gradients, (grad, weight, scale, scale))
