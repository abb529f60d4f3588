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
