import pytest
import torch
from mmrazor.registry import MODELS
from torch.nn.functional import adaptive_avg_pool1d, adaptive_avg_pool2d


def loss_of(student, teacher, weight=1.0):
    loss = MODELS.build(dict(type='SpectralKDLoss', loss_weight=weight))
    return loss(student, teacher)


def by_transform(student, teacher):
    """The paper's form."""
    a, b = (
        torch.view_as_real(torch.fft.rfft2(x, norm='ortho')) for x in (student, teacher)
    )
    return (a - b).square().mean()


@pytest.mark.parametrize(
    'size', [(8, 8), (7, 7), (5, 6), (6, 5), (4, 1), (1, 4), (3, 2), (1, 1)]
)
def test_is_the_error_of_the_spectra(size):
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 4, *size, dtype=torch.float64)
    expected = 0.2 * by_transform(student, teacher)
    torch.testing.assert_close(loss_of(student, teacher, 0.2), expected)


def test_more_channels_and_larger_maps_are_pooled():
    torch.manual_seed(0)
    student = torch.randn(2, 4, 6, 5, dtype=torch.float64)
    teacher = torch.randn(2, 10, 12, 10, dtype=torch.float64)
    pooled = adaptive_avg_pool2d(teacher, (6, 5)).flatten(2).transpose(1, 2)
    pooled = adaptive_avg_pool1d(pooled, 4).transpose(1, 2).unflatten(2, (6, 5))
    expected = by_transform(student, pooled)
    torch.testing.assert_close(loss_of(student, teacher), expected)
    torch.testing.assert_close(loss_of(teacher, student), expected)


@pytest.mark.parametrize('width', [1, 4, 5])
def test_gradients(width):
    student = torch.randn(2, 3, 4, width, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(2, 6, 4, width, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: loss_of(x, teacher), student)
    assert torch.autograd.gradgradcheck(lambda x: loss_of(x, teacher), student)
    loss_of(student.detach().requires_grad_(), student.detach()).backward()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_compared_in_float32(dtype):
    student, teacher = torch.randn(2, 1, 4, 6, 6).to(dtype)
    loss = loss_of(student, teacher)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, loss_of(student.float(), teacher.float()))
