import math
from itertools import product

import pytest
import torch

from famkd.layers import FrequencyAttention, high_pass_mask


@pytest.mark.parametrize(
    ('size', 'cutoff', 'rows', 'columns'),
    [
        ((32, 32), 0.1, (15, 17), (15, 17)),
        ((21, 21), 0.1, (9, 11), (9, 11)),
        ((40, 20), 0.1, (18, 22), (9, 11)),
        ((4, 4), 0.5, (1, 3), (1, 3)),
        ((19, 19), 0.1, (0, 0), (0, 0)),  # below 20 bins nothing is removed
        ((40, 8), 0.1, (0, 0), (0, 0)),  # a block without columns
        ((1, 1), 0.99, (0, 0), (0, 0)),
    ],
)
def test_ideal_removes_the_released_block(size, cutoff, rows, columns):
    expected = torch.ones(size, dtype=torch.float64)
    expected[slice(*rows), slice(*columns)] = 0
    assert torch.equal(high_pass_mask('ideal', size, cutoff), expected)


@pytest.mark.parametrize(
    ('kind', 'at_1', 'at_2', 'at_diagonal'),
    [
        ('gaussian', 1 - math.exp(-1 / 2), 1 - math.exp(-2), 1 - math.exp(-1)),
        ('butterworth', 1 / 2, 16 / 17, 4 / 5),
    ],
)
def test_smooth_masks_by_hand(kind, at_1, at_2, at_diagonal):
    # The centre is (2, 3) and D0 = 0.5 * 4 / 2 = 1 bin.
    mask = high_pass_mask(kind, (4, 6), cutoff=0.5)
    assert mask.shape == (4, 6)
    assert mask[2, 3] == 0
    for value, places in (
        (at_1, [(1, 3), (3, 3), (2, 2), (2, 4)]),
        (at_2, [(0, 3), (2, 1), (2, 5)]),
        (at_diagonal, [(1, 2), (3, 4)]),
    ):
        for place in places:
            assert mask[place].item() == pytest.approx(value, rel=1e-12)


def test_butterworth_order():
    mask = high_pass_mask('butterworth', (4, 6), cutoff=0.5, order=1)
    assert mask[2, 5].item() == pytest.approx(4 / 5)


@pytest.mark.parametrize('kind', ['ideal', 'gaussian', 'butterworth', 'none'])
def test_cutoff_0_removes_nothing(kind):
    assert torch.equal(
        high_pass_mask(kind, (5, 8), cutoff=0), torch.ones(5, 8, dtype=torch.float64)
    )


def test_none_removes_nothing():
    assert high_pass_mask('none', (32, 32), cutoff=0.9).min() == 1


@pytest.mark.parametrize('kind', ['ideal', 'gaussian', 'butterworth', 'none'])
def test_1x1_maps_pass_unmasked(kind):
    assert high_pass_mask(kind, (1, 1), cutoff=0.9).item() == 1


@pytest.mark.parametrize('kind', ['ideal', 'gaussian', 'butterworth', 'none'])
def test_no_mask_removes_every_frequency(kind):
    lengths = (1, 2, 3, 4, 7, 8, 33, 64)
    for size, cutoff in product(product(lengths, lengths), (0.1, 0.5, 1 - 1e-12)):
        assert high_pass_mask(kind, size, cutoff).max() > 0.1, (size, cutoff)


# A mask is asked for by the layer that uses it: that is where errors must come from.
def test_unknown_kind():
    with pytest.raises(
        ValueError,
        match="high_pass='idael' is unknown; choose one of ideal, gaussian, "
        'butterworth, none',
    ):
        FrequencyAttention(2, 2, 8, high_pass='idael')


@pytest.mark.parametrize('cutoff', [-0.1, 1, 1.5, math.nan])
@pytest.mark.parametrize('kind', ['ideal', 'none'])
def test_cutoff_out_of_range(kind, cutoff):
    with pytest.raises(ValueError, match=rf'cutoff={cutoff} is outside \[0, 1\); give'):
        FrequencyAttention(2, 2, 8, high_pass=kind, cutoff=cutoff)
