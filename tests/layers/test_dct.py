import pytest
import torch
from scipy.fft import dctn

from famkd.layers import dct2, dct_matrix

SIZES = [(1, 1), (1, 6), (7, 1), (5, 9), (8, 8), (7, 7), (56, 56), (33, 112)]


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize(
    ('dtype', 'tolerance'), [(torch.float64, 1e-12), (torch.float32, 1e-5)]
)
def test_is_the_orthonormal_dct(size, dtype, tolerance):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size, dtype=dtype)
    ours = dct2(x)
    expected = dctn(x.double().numpy(), axes=(-2, -1), norm='ortho')
    assert ours.dtype == dtype
    torch.testing.assert_close(
        ours.double(), torch.from_numpy(expected), rtol=0, atol=tolerance
    )


def test_its_transpose_is_its_inverse():
    matrix = dct_matrix(13, torch.empty(0, dtype=torch.float64))
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(13, dtype=torch.float64))


def test_gradients():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(dct2, x)
