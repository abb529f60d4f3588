import pytest
import torch

from famkd.layers import activation_ssim, ssim


@pytest.mark.parametrize('size', [(16, 16), (7, 9), (3, 3), (5, 12)])
def test_is_that_of_scikit_image(size):
    metrics = pytest.importorskip('skimage.metrics')
    torch.manual_seed(0)
    a = torch.rand(2, *size, dtype=torch.float64)
    b = (a + 0.3 * torch.rand(2, *size, dtype=torch.float64)).clamp(max=1)
    window = min(7, *size)
    expected = [
        metrics.structural_similarity(
            x.numpy(), y.numpy(), win_size=window, data_range=1.0
        )
        for x, y in zip(a, b, strict=True)
    ]
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(ssim(a, b, window), expected)


def test_features_of_equal_maps_are_alike_whatever_their_scale_and_channels():
    torch.manual_seed(0)
    a = torch.rand(3, 4, 6, 8)
    b = (9 * a).repeat(1, 2, 1, 1)
    torch.testing.assert_close(activation_ssim(a, b), torch.ones(3))
    assert activation_ssim(a, torch.rand(3, 2, 6, 8)).max() < 0.9


def test_sizes_may_differ_and_constant_maps_are_finite():
    torch.manual_seed(0)
    a, b = torch.rand(2, 4, 8, 8), torch.rand(2, 3, 4, 1)
    a[0] = 1
    assert activation_ssim(a, b).isfinite().all()
    with pytest.raises(ValueError, match='a 1x1 map has no structure'):
        activation_ssim(a, b[..., :1, :])
