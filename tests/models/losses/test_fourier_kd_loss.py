import pytest
import torch

from famkd.models import FourierKDLoss


def make(**options):
    torch.manual_seed(0)
    return FourierKDLoss(4, **options).double()


def pair(*size):
    torch.manual_seed(1)
    return torch.randn(2, 3, 4, *size, dtype=torch.float64)


def test_samples_do_not_meet_but_in_the_statistics():
    # Shifted over the batch, as released, the cosine of one meets the spectrum of
    # another: then the order of the samples matters.
    student, teacher = pair(6, 5)
    noise = torch.rand_like(student)
    order = torch.tensor([1, 0, 2])
    for released in (False, True):
        loss = make(released=released)
        values = loss(student, teacher, noise)
        permuted = loss(student[order], teacher[order], noise[order])
        assert torch.isclose(values, permuted) == (not released)


@pytest.mark.parametrize('size', [(6, 5), (1, 1), (4, 1)])
def test_gradients_of_features_and_layers(size):
    student, teacher = pair(*size)
    loss, noise = make(), torch.rand_like(student)
    student.requires_grad_()
    value = loss(student, teacher, noise)
    value.backward()
    assert value.isfinite()
    assert student.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in loss.parameters())
    if size == (6, 5):
        assert torch.autograd.gradcheck(lambda x: loss(x, teacher, noise), student)


def test_noise_is_drawn_from_the_seeded_generator():
    student, teacher = pair(4, 4)
    loss, values = make(), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        values.append(loss(student, teacher).item())
    assert values[0] == values[1] != values[2]


def test_half_precision_is_compared_in_float32():
    loss = make().float()
    student, teacher = (x.bfloat16() for x in pair(4, 4))
    with torch.autocast('cpu', torch.bfloat16):
        assert loss(student, teacher).dtype == torch.float32


def test_other_shapes():
    with pytest.raises(ValueError, match=r'connector .* the channels of the teacher'):
        make()(torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 4, 4))
