"""Position-aware weights of channels."""

import pytest
import torch

from famkd.layers import ChannelRelation


def maps(*sizes, channels=6):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, channels, *size, generator=generator) for size in sizes]


@pytest.mark.parametrize('sizes', [((16, 8), (8, 4)), ((7, 11), (4, 6)), ((1, 1),) * 2])
def test_weights_are_positive_with_mean_one(sizes):
    weights = ChannelRelation(6)(*maps(*sizes))
    assert weights.shape == (2, 6)
    assert (weights > 0).all()
    torch.testing.assert_close(weights.mean(1), torch.ones(2))


def test_the_scale_of_the_maps_does_not_matter():
    relation, (x, deeper) = ChannelRelation(6), maps((8, 8), (4, 4))
    torch.testing.assert_close(relation(x, deeper), relation(1000 * x, 0.001 * deeper))


def test_maps_of_zeros_have_finite_weights_and_gradients():
    relation = ChannelRelation(6)
    x = torch.zeros(1, 6, 4, 4, requires_grad=True)
    (relation(x, x)[:, 0]).sum().backward()
    assert x.grad.isfinite().all()


def test_half_precision_does_not_overflow():
    relation, (x, deeper) = ChannelRelation(6), maps((64, 64), (32, 32))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        weights = relation((300 * x).half(), (300 * deeper).half())
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights, relation(x, deeper), rtol=1e-2, atol=1e-2)


def test_gradients():
    relation = ChannelRelation(4).double()
    x, deeper = (m.double().requires_grad_() for m in maps((4, 3), (2, 2), channels=4))
    parameters = [p.detach().requires_grad_() for p in relation.parameters()]
    names = [name for name, _ in relation.named_parameters()]

    def weights(x, deeper, *values):
        return torch.func.functional_call(
            relation, dict(zip(names, values, strict=True)), (x, deeper)
        )

    assert torch.autograd.gradcheck(weights, (x, deeper, *parameters))
