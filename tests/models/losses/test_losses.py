import pytest
import torch
from mmrazor.registry import MODELS


def mse(a, b):
    return ((a - b) ** 2).mean()


def pooled(x, size):
    """Average of size x size equal blocks."""
    n, c, h, w = x.shape
    return x.view(n, c, size, h // size, size, w // size).mean(dim=(3, 5))


def features(height, width, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(2, 2, 3, height, width).to(dtype)


def test_mse():
    loss = MODELS.build(dict(type='StageMSELoss', loss_weight=2.5))
    o, g = features(4, 6)
    torch.testing.assert_close(loss(o, g), 2.5 * mse(o, g))


@pytest.mark.parametrize('name', ['HCLLoss', 'StageMSELoss'])
def test_gradients(name):
    loss = MODELS.build(dict(type=name, loss_weight=2.5))
    maps = [x.requires_grad_() for x in features(4, 6, torch.float64)]
    assert torch.autograd.gradcheck(loss, maps)
    assert torch.autograd.gradgradcheck(loss, maps)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_gradient_of_mse_lies_as_the_maps(dtype):
    loss = MODELS.build(dict(type='StageMSELoss'))
    o, g = (x.to(memory_format=torch.channels_last) for x in features(4, 6, dtype))
    (grad,) = torch.autograd.grad(loss(o.requires_grad_(), g), o)
    assert grad.is_contiguous(memory_format=torch.channels_last)
    expected = 2 * (o.float() - g.float()) / o.numel()
    torch.testing.assert_close(grad, expected.to(dtype))


@pytest.mark.parametrize(
    ('height', 'weights'),
    [
        (8, {4: 1 / 2, 2: 1 / 4, 1: 1 / 8}),
        (4, {2: 1 / 2, 1: 1 / 4}),  # 4 is not smaller than the height: left out
        (2, {1: 1 / 2}),
        (1, {}),
    ],
)
def test_hcl(height, weights):
    loss = MODELS.build(dict(type='HCLLoss', loss_weight=0.6))
    o, g = features(height, 2 * height)
    expected = mse(o, g)
    for size, weight in weights.items():
        expected = expected + weight * mse(pooled(o, size), pooled(g, size))
    expected = 0.6 * expected / (1 + sum(weights.values()))
    torch.testing.assert_close(loss(o, g), expected)


@pytest.mark.parametrize('kind', ['StageMSELoss', 'HCLLoss'])
def test_half_precision_does_not_overflow(kind):
    loss = MODELS.build(dict(type=kind))
    o, g = features(8, 8, torch.float16) * 300
    value = loss(o, g)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(o.float(), g.float()), rtol=1e-3, atol=0)
    assert value > torch.finfo(torch.float16).max


@pytest.mark.parametrize('kind', ['StageMSELoss', 'HCLLoss'])
def test_shapes_must_be_equal(kind):
    # As mse_loss would broadcast them.
    with pytest.raises(
        ValueError, match=r'student is \(2, 5, 1, 1\), that of the teacher \(2, 5\)'
    ):
        MODELS.build(dict(type=kind))(torch.zeros(2, 5, 1, 1), torch.zeros(2, 5))
