import pytest
import torch

from famkd.layers import DynamicFrequencyAttention, FrequencyAttention, LocalAttention


@pytest.mark.parametrize(
    'layer',
    [
        FrequencyAttention(4, 6, (5, 7)),
        DynamicFrequencyAttention(4, 6),
        LocalAttention(4),
    ],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize('shape', [(2, 3, 5, 7), (4, 5, 7), (2, 4), (2, 4, 5, 0)])
def test_what_is_no_such_map(layer, shape):
    message = rf'{type(layer).__name__} was built for .* \(N, 4, H, W\), got '
    with pytest.raises(ValueError, match=message):
        layer(torch.ones(shape))


def test_both_inputs_of_cross_attention():
    with pytest.raises(ValueError, match='LocalAttention was built'):
        LocalAttention(4)(torch.ones(2, 4, 5, 7), torch.ones(2, 6, 5, 7))
