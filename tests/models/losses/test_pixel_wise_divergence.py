import pytest
import torch
from mmrazor.registry import MODELS
from torch.nn.functional import log_softmax, softmax


def loss_of(student, teacher, **options):
    return MODELS.build(dict(type='PixelWiseDivergence', **options))(student, teacher)


@pytest.mark.parametrize('size', [(5, 7), (1, 1)])
def test_is_the_formula(size):
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 4, *size, dtype=torch.float64)
    p, q = softmax(teacher / 2, 1), log_softmax(student / 2, 1)
    expected = (p * (p.log() - q)).sum(1).mean()
    loss = loss_of(student, teacher, tau=2, loss_weight=3)
    torch.testing.assert_close(loss, 3 * 4 * expected)


def test_bfloat16():
    student, teacher = torch.randn(2, 1, 4, 5, 7)
    loss = loss_of(student.bfloat16(), teacher.bfloat16())
    torch.testing.assert_close(
        loss.float(), loss_of(student, teacher), rtol=0.05, atol=0.01
    )


def test_other_sizes():
    with pytest.raises(ValueError, match=r'\(1, 4, 5, 7\), .* \(1, 4, 3, 4\): pixels'):
        loss_of(torch.zeros(1, 4, 5, 7), torch.zeros(1, 4, 3, 4))


def test_one_class():
    with pytest.raises(ValueError, match='one class score .*out_channels=2'):
        loss_of(torch.zeros(1, 1, 5, 7), torch.zeros(1, 1, 5, 7))
