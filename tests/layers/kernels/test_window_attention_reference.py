"""The reference window attention against a loop over the formula."""

import math

import pytest
import torch

from famkd.layers.kernels.reference import window_attention


def by_hand(query, key, value, bias):
    """The formula, position by position, in Python floats."""
    n, c, h, w = query.shape
    out = torch.empty(n, c, h, w, dtype=torch.float64)
    for i, j, y, x in torch.cartesian_prod(*map(torch.arange, (n, c, h, w))).tolist():
        weights, values = [], []
        for a in range(3):
            for b in range(3):
                row, column = y + a - 1, x + b - 1
                inside = 0 <= row < h and 0 <= column < w
                k = key[i, j, row, column].item() if inside else 0.0
                v = value[i, j, row, column].item() if inside else 0.0
                r = bias[j, a, b].item()
                weights.append(math.exp(query[i, j, y, x].item() * (k + r)))
                values.append(v)
        total = sum(weights)
        out[i, j, y, x] = (
            sum(p * v for p, v in zip(weights, values, strict=True)) / total
        )
    return out


@pytest.mark.parametrize('shape', [(2, 4, 3, 5), (1, 2, 1, 1), (1, 2, 4, 1)])
def test_is_the_formula(shape):
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, *shape, dtype=torch.float64, generator=generator)
    bias = torch.randn(shape[1], 3, 3, dtype=torch.float64, generator=generator)
    out = window_attention(query, key, value, bias)
    torch.testing.assert_close(
        out, by_hand(query, key, value, bias), rtol=0, atol=1e-12
    )
