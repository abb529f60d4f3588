"""The Haar transform against convolutions with the wavelet's filters, and back."""

import pytest
import torch
from torch.nn.functional import conv2d, pad

from famkd.layers import haar_dwt, haar_idwt


@pytest.mark.parametrize('levels', [1, 3, 6])
def test_every_size_comes_back(levels):
    generator = torch.Generator().manual_seed(0)
    for height in range(1, 18):
        for width in range(1, 18):
            x = torch.randn(1, 2, height, width, generator=generator).double()
            back = haar_idwt(*haar_dwt(x, levels), x.shape[-2:])
            torch.testing.assert_close(back, x, rtol=0, atol=1e-14)


@pytest.mark.parametrize('size', [(16, 24), (13, 9), (7, 11), (1, 5), (1, 1)])
def test_bands_are_those_of_the_filters(size):
    filters = torch.tensor(
        [[[1, 1], [1, 1]], [[1, 1], [-1, -1]], [[1, -1], [1, -1]], [[1, -1], [-1, 1]]],
    ).double()[:, None]
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    low, details = haar_dwt(x, 3)
    expected = x
    for detail in details:
        height, width = expected.shape[-2:]
        padded = pad(expected, (0, width % 2, 0, height % 2))
        bands = conv2d(padded.flatten(0, 1)[:, None], filters / 2, stride=2)
        expected, *bands = bands.unflatten(0, (2, 3)).unbind(2)
        for ours, theirs in zip(detail, bands, strict=True):
            torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(low, expected)


def test_signs_and_orientations():
    a, b, c, d = 1.0, 2.0, 4.0, 8.0
    low, [details] = haar_dwt(torch.tensor([[a, b], [c, d]]), levels=1)
    assert low.item() == (a + b + c + d) / 2
    assert [x.item() for x in details] == [
        (a + b - c - d) / 2,
        (a - b + c - d) / 2,
        (a - b - c + d) / 2,
    ]


def test_the_norm_stays():
    x = torch.randn(2, 3, 13, 9)
    low, details = haar_dwt(x)
    bands = [low, *(band for detail in details for band in detail)]
    squares = sum(band.square().sum() for band in bands)
    torch.testing.assert_close(squares, x.square().sum())


def test_without_a_size_the_padding_stays():
    x = torch.randn(1, 1, 13, 9)
    padded = haar_idwt(*haar_dwt(x))
    assert padded.shape == (1, 1, 14, 10)
    torch.testing.assert_close(padded[..., :13, :9], x)
    torch.testing.assert_close(padded[..., 13:, :], torch.zeros(1, 1, 1, 10))


def test_bfloat16_comes_back_to_its_precision():
    x = torch.randn(1, 2, 13, 9, dtype=torch.bfloat16)
    low, details = haar_dwt(x)
    back = haar_idwt(low, details, x.shape[-2:])
    assert low.dtype == back.dtype == torch.bfloat16
    torch.testing.assert_close(back, x, rtol=0.05, atol=0.05)


def test_gradients():
    x = torch.randn(1, 1, 5, 3, dtype=torch.float64, requires_grad=True)

    def there_and_back(x):
        low, details = haar_dwt(x, 2)
        return haar_idwt(low.square(), details, x.shape[-2:])

    assert torch.autograd.gradcheck(there_and_back, x)


def test_it_compiles_without_a_graph_break():
    compiled = torch.compile(
        lambda x: haar_idwt(*haar_dwt(x), x.shape[-2:]), backend='eager', fullgraph=True
    )
    x = torch.randn(1, 2, 13, 9)
    torch.testing.assert_close(compiled(x), x)


def test_no_level_is_an_error():
    with pytest.raises(ValueError, match='levels=0'):
        haar_dwt(torch.zeros(1, 1, 4, 4), levels=0)
