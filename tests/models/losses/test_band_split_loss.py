import pytest
import torch
from mmrazor.registry import MODELS
from scipy.fft import dctn

TRANSFORMS = pytest.mark.parametrize('transform', ['dct', 'haar', 'fft'])


def loss_of(student, teacher, **options):
    return MODELS.build(dict(type='BandSplitLoss', **options))(student, teacher)


def pair(*shape):
    torch.manual_seed(0)
    return torch.randn(2, *shape, dtype=torch.float64)


def test_is_the_formula_for_the_dct():
    student, teacher = pair(2, 3, 8, 6)
    delta = dctn((student - teacher).numpy(), axes=(2, 3), norm='ortho')
    low, high = [], []
    for u in range(8):
        for v in range(6):
            band = low if u < 4 and v < 3 else high
            band.append(torch.from_numpy(delta[..., u, v]))
    expected = 2 * torch.stack(low).square().mean()
    expected += 3 * torch.stack(high).square().log1p().mean()
    options = dict(cutoff=0.5, low_weight=2.0, high_weight=3.0)
    torch.testing.assert_close(loss_of(student, teacher, **options), expected)


@TRANSFORMS
def test_a_constant_difference_is_low_an_alternating_one_high(transform):
    zeros = torch.zeros(1, 1, 8, 8)
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing='ij')
    alternating = (1.0 - 2.0 * ((rows + columns) % 2)).expand(1, 1, 8, 8)
    only_low = dict(transform=transform, high_weight=0.0)
    only_high = dict(transform=transform, low_weight=0.0)
    assert loss_of(zeros + 1, zeros, **only_low) > 0.1
    assert loss_of(zeros + 1, zeros, **only_high) < 1e-6
    assert loss_of(alternating, zeros, **only_low) < 0.05
    assert loss_of(alternating, zeros, **only_high) > 0.02


@TRANSFORMS
def test_a_large_difference_counts_less_in_the_high_band(transform):
    student, teacher = pair(1, 2, 8, 8)
    high = [
        loss_of(scale * student, scale * teacher, transform=transform, low_weight=0.0)
        for scale in (10, 100)
    ]
    assert high[1] < 3 * high[0]


@TRANSFORMS
@pytest.mark.parametrize('size', [(5, 7), (2, 3), (1, 4), (1, 1)])
def test_any_size_and_gradients(transform, size):
    student, teacher = pair(2, 2, *size)
    student.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: loss_of(x, teacher, transform=transform), student
    )


@TRANSFORMS
def test_half_precision_is_compared_in_float32(transform):
    student, teacher = (x.bfloat16() for x in pair(1, 2, 8, 8))
    assert loss_of(student, teacher, transform=transform).dtype == torch.float32


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            dict(transform='dwt'),
            "transform='dwt' is unknown; choose one of 'dct', 'haar'",
        ),
        (dict(cutoff=1.0), 'cutoff=1.0 must be above 0 and below 1'),
        (dict(transform='haar', cutoff=0.3), 'cutoff=0.3 must be a power of 1/2'),
    ],
)
def test_option_that_is_none(options, message):
    with pytest.raises(ValueError, match=message):
        loss_of(*pair(1, 1, 2, 2), **options)


def test_other_shapes():
    with pytest.raises(ValueError, match=r'connector .* the channels of the teacher'):
        loss_of(torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match='name stages .* the same height and width'):
        loss_of(torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 4, 2))
