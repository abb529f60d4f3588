"""The filter by itself; its values, gradients and layouts: test_frequency_attention."""

import pytest
import torch

from famkd.layers.frequency_filter import frequency_filter, half_spectrum_scale


@pytest.mark.parametrize('with_pointwise', [False, True])
def test_operands_in_any_order_of_memory(with_pointwise):
    x, weight = torch.randn(2, 3, 6, 5), torch.randn(6, 3, 4, 3, 2)
    scale = half_spectrum_scale(torch.rand(6, 5))  # a part of that of all columns
    assert not scale.is_contiguous()
    weight = weight.transpose(2, 3)
    pointwise = torch.randn(4, 3).t() if with_pointwise else None
    operands = (x, weight, scale, pointwise)
    contiguous = (None if t is None else t.contiguous() for t in operands)
    torch.testing.assert_close(
        frequency_filter(*operands), frequency_filter(*contiguous)
    )


@pytest.mark.parametrize(
    ('name', 'shape'),
    [
        ('weight', (6, 3, 3, 4)),
        ('weight', (6, 4, 3, 4, 2)),
        ('weight', (6, 3, 2, 4, 2)),
        ('scale', (6, 1)),
        ('pointwise', (4, 3)),
        ('pointwise', (4,)),
    ],
)
def test_operands_of_another_shape(name, shape):
    operands = dict(weight=torch.ones(6, 3, 3, 4, 2), scale=torch.ones(6, 3))
    operands[name] = torch.ones(shape)
    with pytest.raises(ValueError, match=f'{name} must be .* for a map .2, 3, 6, 5'):
        frequency_filter(torch.ones(2, 3, 6, 5), **operands)


@pytest.mark.parametrize('trained', ['x', 'weight', 'scale', 'pointwise', 'bias'])
def test_one_operand_that_learns(trained):
    x, weight = torch.randn(2, 3, 6, 5), torch.randn(6, 3, 3, 4, 2)
    operands = dict(x=x, weight=weight, scale=torch.rand(6, 3))
    operands.update(pointwise=torch.randn(3, 4), bias=torch.randn(4))
    leaves = {name: t.clone().requires_grad_() for name, t in operands.items()}
    frequency_filter(**leaves).square().sum().backward()
    leaf = operands[trained].requires_grad_()
    frequency_filter(**operands).square().sum().backward()
    torch.testing.assert_close(leaf.grad, leaves[trained].grad)
