import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from famkd.layers import FrequencyAttention
from famkd.layers.kernels.compiled import works
from famkd.layers.kernels.layout import is_channels_last
from famkd.layers.kernels.spectrum import from_spectrum, to_spectrum

# Lengths of the factors 4, 2, 3 and larger primes; channels more and fewer than lanes.
SHAPES = [
    (1, 1, 1, 1),
    (2, 3, 1, 8),
    (2, 16, 32, 32),
    (3, 20, 8, 1),
    (1, 5, 7, 9),
    (2, 33, 15, 30),
    (1, 2, 5, 127),
]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.fixture(autouse=True)
def by_the_kernel():
    assert works()


def expected_bins(x):
    bins = torch.fft.rfft2(x.double(), norm='ortho').permute(2, 3, 0, 1)
    return bins.flatten(0, 1)


def as_given(bins, dtype):
    """Bins as they are of a map of a dtype: PyTorch has no complex bfloat16."""
    if dtype == torch.bfloat16:
        return torch.view_as_real(bins).flatten(2).bfloat16()
    return bins.to(dtype.to_complex())


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize('shape', SHAPES)
def test_equals_the_fft_of_torch(shape, dtype, layout, threads):
    x = torch.randn(shape).to(dtype, memory_format=layout)
    bins = to_spectrum(x)
    assert bins.is_contiguous()
    torch.testing.assert_close(bins, as_given(expected_bins(x), dtype))

    # Any bins, not those of a real map only: what is not Hermitian does not count.
    bins = as_given(torch.randn(expected_bins(x).shape, dtype=torch.cdouble), dtype)
    out = from_spectrum(bins, shape[2:], like=x)
    if dtype == torch.bfloat16:
        bins = torch.view_as_complex(bins.float().unflatten(2, (-1, 2)))
    half = bins.cdouble().unflatten(0, (shape[2], -1)).permute(2, 3, 0, 1)
    expected = torch.fft.irfft2(half, s=shape[2:], norm='ortho')
    assert is_channels_last(out) == is_channels_last(x)
    torch.testing.assert_close(out, expected.to(dtype))


def test_of_views_and_of_float16():
    x = torch.randn(4, 6, 8, 10)
    for view in (x[::2, 1:], x.mT, x.half()):
        torch.testing.assert_close(to_spectrum(view), expected_bins(view).cfloat())
    bins = to_spectrum(x)
    assert torch.equal(from_spectrum(bins, (8, 10)), from_spectrum(bins, (8, 10), x))
    torch.testing.assert_close(from_spectrum(bins, (8, 10), x.half()), x.half())
    flipped = from_spectrum(bins.conj(), (8, 10))
    torch.testing.assert_close(flipped, x.flip(2, 3).roll((1, 1), (2, 3)))


def by_torch(monkeypatch):
    monkeypatch.setattr('famkd.layers.kernels.spectrum.works', lambda: False)


@pytest.mark.parametrize('prepare', [lambda _: None, by_torch], ids=['kernel', 'torch'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_conjugates(dtype, prepare, monkeypatch):
    prepare(monkeypatch)
    x = torch.randn(2, 9, 5, 6).to(dtype)
    bins = to_spectrum(x, conjugate=True)
    expected = as_given(expected_bins(x).conj().resolve_conj(), dtype)
    torch.testing.assert_close(bins, expected)
    back = from_spectrum(bins, (5, 6), conjugate=True)
    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(back, x, atol=tolerance, rtol=tolerance)


def test_not_a_number_stays_in_its_plane():
    x = torch.ones(1, 3, 4, 4)
    x[0, 1, 2, 3] = torch.nan
    assert to_spectrum(x).isnan().all(dim=0).tolist() == [[False, True, False]]


def test_on_other_devices():
    for dtype, channels in ((torch.float32, 3), (torch.bfloat16, 6)):
        x = torch.empty(2, 3, 4, 5, device='meta', dtype=dtype)
        bins = to_spectrum(x)
        assert bins.shape == (12, 2, channels)
        assert from_spectrum(bins, (4, 5), like=x).shape == x.shape


def test_frequency_attention_can_be_traced():
    layer = FrequencyAttention(2, 3, (4, 5))
    traced = make_fx(layer)(torch.randn(2, 2, 4, 5))
    x = torch.randn(2, 2, 4, 5)
    torch.testing.assert_close(traced(x), layer(x))


def test_maps_without_a_place():
    with pytest.raises(ValueError, match=r'maps of \(4, 0\) have no spectrum'):
        to_spectrum(torch.zeros(1, 2, 4, 0))
    with pytest.raises(ValueError, match=r'maps of \(0, 4\) have no spectrum'):
        from_spectrum(torch.zeros(0, 1, 2, dtype=torch.cfloat), (0, 4))
