"""Attention transfer and the DCT-driven loss, sample by sample."""

import pytest
import torch
from mmrazor.models.losses import ATLoss
from mmrazor.registry import MODELS
from scipy.fft import dctn
from torch.nn.functional import adaptive_avg_pool2d

LOSSES = [
    dict(type='AttentionTransferLoss'),
    dict(type='DCTAttentionLoss'),
    dict(type='DCTAttentionLoss', transform='real_dft'),
]
every_loss = pytest.mark.parametrize(
    'config', LOSSES, ids=['attention_transfer', 'dct', 'real_dft']
)


def features(*shape, channels=(3, 5), dtype=torch.float64):
    """A feature of the student, of which gradients are wanted, and one of the teacher.

    Args:
        *shape: N, H and W.
    """
    torch.manual_seed(0)
    n, height, width = shape
    student, teacher = (torch.randn(n, c, height, width).to(dtype) for c in channels)
    return student.requires_grad_(), teacher


def min_max(x):
    return (x - x.min()) / (x.max() - x.min())


@pytest.mark.parametrize('shape', [(3, 6, 6), (1, 5, 9), (2, 1, 4)])
def test_dct_loss_is_the_formula(shape):
    student, teacher = features(*shape)
    distances = []
    for pair in zip(student, teacher, strict=True):
        spectra = []
        for x in pair:
            energy = min_max((x.detach() ** 2).mean(0))
            spectra.append(
                min_max(dctn((energy - energy.mean()).numpy(), norm='ortho'))
            )
        distances.append(((spectra[0] - spectra[1]) ** 2).sum() ** 0.5)
    expected = torch.tensor(distances, dtype=torch.float64)
    loss = MODELS.build(dict(type='DCTAttentionLoss', loss_weight=0.3))
    torch.testing.assert_close(loss.per_sample(student, teacher), expected)
    torch.testing.assert_close(loss(student, teacher), 0.3 * expected.mean())


def test_attention_transfer_is_that_of_mmrazor():
    student, teacher = features(4, 5, 7)
    loss = MODELS.build(dict(type='AttentionTransferLoss', loss_weight=1000))
    expected = ATLoss(loss_weight=1000)(student, teacher)
    torch.testing.assert_close(loss(student, teacher), expected)


@every_loss
def test_guidance_is_a_loop_over_the_samples(config):
    student, teacher = features(5, 4, 6)
    correct = torch.tensor([True, False, True, True, False])
    loss = MODELS.build(dict(**config, loss_weight=2))
    expected = 0.0
    for n in range(5):
        if correct[n]:
            expected += 2 * loss.per_sample(student[n : n + 1], teacher[n : n + 1]) / 5
    guided = loss(student, teacher, correct)
    torch.testing.assert_close(guided, expected.squeeze())
    guided.backward()
    assert student.grad[~correct].eq(0).all()
    assert student.grad[correct].ne(0).any(dim=1).all()


@every_loss
def test_no_correct_sample_gives_no_gradient(config):
    student, teacher = features(2, 4, 6)
    loss = MODELS.build(config)(student, teacher, torch.zeros(2, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert student.grad.eq(0).all()


@every_loss
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('value', [0.0, 1.0, 0.3])
@pytest.mark.parametrize('constant', ['student', 'teacher', 'both'])
def test_constant_maps_give_finite_losses_and_gradients(config, dtype, value, constant):
    # Sample 0 is constant, sample 1 is not, and only it is right.
    student, teacher = features(2, 7, 5, dtype=dtype)
    with torch.no_grad():
        if constant != 'teacher':
            student[0] = value
        if constant != 'student':
            teacher[0] = value
    loss = MODELS.build(config)
    for correct in (None, torch.tensor([False, True])):
        student.grad = None
        total = loss(student, teacher, correct)
        total.backward()
        assert total.isfinite() and total > 0
        assert student.grad.isfinite().all()
        assert student.grad.abs().max() < 1e3
    if constant == 'student':
        assert loss(student[:1], teacher[:1]).isfinite()


def test_a_spectrum_that_is_constant_up_to_rounding_is_zero():
    # The real part of the transform of an odd map is 0, but for rounding.
    maps = 2 + torch.tensor([[[0.0, 0.41, 0.93, -0.93, -0.41]]], requires_grad=True)
    loss = MODELS.build(dict(type='DCTAttentionLoss', transform='real_dft'))
    spectrum = loss.spectrum(maps)
    assert spectrum.eq(0).all()
    assert loss.spectrum(maps + torch.eye(5)[2]).max() == 1


@every_loss
def test_identical_maps_give_zero_and_no_gradient(config):
    student, _ = features(2, 4, 6)
    loss = MODELS.build(config)(student, student.detach().clone())
    loss.backward()
    assert loss == 0
    assert student.grad.eq(0).all()


@every_loss
@pytest.mark.parametrize('teacher_size', [(3, 3), (9, 4), (6, 8)])
def test_sizes_may_differ(config, teacher_size):
    student, _ = features(2, 6, 8)
    teacher = torch.randn(2, 5, *teacher_size, dtype=torch.float64)
    size = tuple(map(min, (6, 8), teacher_size))
    pooled = [adaptive_avg_pool2d(x, size) for x in (student, teacher)]
    loss = MODELS.build(config)
    torch.testing.assert_close(loss(student, teacher), loss(*pooled))


@every_loss
def test_gradients(config):
    student, teacher = features(2, 3, 4)
    loss = MODELS.build(config)
    assert torch.autograd.gradcheck(lambda s: loss(s, teacher), student)
    assert torch.autograd.gradgradcheck(lambda s: loss(s, teacher), student)


@every_loss
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(config, dtype):
    student, teacher = features(2, 5, 6, dtype=dtype)
    loss = MODELS.build(config)
    with torch.autocast('cpu', torch.bfloat16):
        ours = loss(student * 300, teacher * 300)
    assert ours.dtype == torch.float32
    expected = loss((student * 300).float(), (teacher * 300).float())
    torch.testing.assert_close(ours, expected)


@every_loss
def test_compiles_without_a_graph_break(config):
    student, teacher = features(3, 4, 6, dtype=torch.float32)
    correct = torch.tensor([True, False, True])
    loss = MODELS.build(config)
    compiled = torch.compile(loss, fullgraph=True, backend='aot_eager')
    expected, ours = (
        loss(student, teacher, correct),
        compiled(student, teacher, correct),
    )
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(
        torch.autograd.grad(ours, student), torch.autograd.grad(expected, student)
    )


@every_loss
@pytest.mark.parametrize(
    ('student', 'teacher', 'message'),
    [
        ((2, 3, 1, 1), (2, 5, 1, 1), 'a 1x1 map has no places to compare'),
        ((2, 3, 4, 4), (2, 5, 1, 1), 'a 1x1 map has no places to compare'),
        ((2, 3, 4, 4), (3, 5, 4, 4), r'the same N images'),
        ((2, 3), (2, 5), r'compares maps \(N, C, H, W\)'),
    ],
)
def test_refuses_what_cannot_be_compared(config, student, teacher, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config)(torch.ones(student), torch.ones(teacher))


def test_an_unknown_transform_is_named():
    with pytest.raises(ValueError, match="transform='dft' is unknown.*'real_dft'"):
        MODELS.build(dict(type='DCTAttentionLoss', transform='dft'))
