import math

import pytest
import torch
from mmrazor.registry import MODELS


def relations(rows, eps=1e-7):
    """The matrix of conditional probabilities, number by number."""
    norms = [math.sqrt(sum(v * v for v in row)) + eps for row in rows]
    matrix = [
        [
            (sum(p * q for p, q in zip(a, b, strict=True)) / na / nb + 1) / 2
            for b, nb in zip(rows, norms, strict=True)
        ]
        for a, na in zip(rows, norms, strict=True)
    ]
    return [[v / sum(row) for v in row] for row in matrix]


def vectors(n=4, channels=(3, 6)):
    torch.manual_seed(0)
    student, teacher = (torch.randn(n, c, dtype=torch.float64) for c in channels)
    return student.requires_grad_(), teacher


def test_is_the_formula():
    student, teacher = vectors()
    s, t = relations(student.tolist()), relations(teacher.tolist())
    expected = sum(
        t[i][j] * math.log((t[i][j] + 1e-7) / (s[i][j] + 1e-7)) / 16
        for i in range(4)
        for j in range(4)
    )
    loss = MODELS.build(dict(type='PKTLoss', loss_weight=30000))
    torch.testing.assert_close(loss(student, teacher).item(), 30000 * expected)


def test_maps_are_averaged():
    loss = MODELS.build(dict(type='PKTLoss'))
    student, teacher = torch.randn(4, 3, 5, 6), torch.randn(4, 6, 2, 2)
    expected = loss(student.mean((2, 3)), teacher.mean((2, 3)))
    torch.testing.assert_close(loss(student, teacher), expected)


def test_gradients():
    student, teacher = vectors()
    loss = MODELS.build(dict(type='PKTLoss'))
    assert torch.autograd.gradcheck(lambda s: loss(s, teacher), student)


@pytest.mark.parametrize('n', [1, 3])
def test_zero_vectors_and_a_batch_of_one_are_finite(n):
    student, teacher = vectors(n)
    with torch.no_grad():
        student[0] = 0
    loss = MODELS.build(dict(type='PKTLoss'))(student, teacher)
    loss.backward()
    assert loss.isfinite()
    assert student.grad.isfinite().all()


def test_half_precision_is_computed_in_float32():
    student, teacher = (x.detach().bfloat16() for x in vectors())
    loss = MODELS.build(dict(type='PKTLoss'))
    with torch.autocast('cpu', torch.bfloat16):
        ours = loss(student, teacher)
    torch.testing.assert_close(ours, loss(student.float(), teacher.float()))
