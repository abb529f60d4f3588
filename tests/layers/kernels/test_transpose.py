import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from famkd.layers import FrequencyAttention
from famkd.layers.kernels.compiled import works
from famkd.layers.kernels.transpose import transpose


@pytest.fixture(autouse=True)
def by_the_kernel():
    assert works()


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize('dtype', [torch.complex64, torch.complex128])
@pytest.mark.parametrize(
    'shape', [(1, 1), (1, 9), (9, 1), (8, 32), (7, 31), (9, 33), (64, 100), (0, 3)]
)
def test_same_numbers(shape, dtype, threads):
    matrix = torch.randn(shape, dtype=dtype)
    out = transpose(matrix)
    assert out.is_contiguous()
    assert torch.equal(out, matrix.t())


def test_of_views():
    matrix = torch.randn(6, 5, dtype=torch.complex64)
    for view in (matrix.t(), matrix[::2, 1:], matrix.conj()):
        assert torch.equal(transpose(view), view.t().resolve_conj())


def test_on_other_devices():
    matrix = torch.empty(6, 5, dtype=torch.complex64, device='meta')
    assert transpose(matrix).stride() == (6, 1)


def test_frequency_attention_can_be_traced():
    layer = FrequencyAttention(2, 3, (4, 5))
    traced = make_fx(layer)(torch.randn(2, 2, 4, 5))
    x = torch.randn(2, 2, 4, 5)
    torch.testing.assert_close(traced(x), layer(x))
