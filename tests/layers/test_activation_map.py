import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d

from famkd.layers import activation_map, pool_to_smaller


def test_is_the_mean_energy():
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, -4.0]]]])
    torch.testing.assert_close(activation_map(x), torch.tensor([[[5.0, 10.0]]]))


def test_gradients():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(activation_map, x)


@pytest.mark.parametrize(
    ('a', 'b', 'common'),
    [
        ((8, 8), (4, 4), (4, 4)),
        ((3, 5), (7, 9), (3, 5)),
        ((7, 3), (5, 4), (5, 3)),
        ((4, 6), (4, 6), (4, 6)),
    ],
)
def test_the_larger_is_pooled(a, b, common):
    torch.manual_seed(0)
    a, b = torch.randn(2, 3, *a), torch.randn(2, 5, *b)
    pooled = pool_to_smaller(a, b)
    for x, ours in zip((a, b), pooled, strict=True):
        torch.testing.assert_close(ours, adaptive_avg_pool2d(x, common))
        assert ours is x or x.shape[-2:] != common
