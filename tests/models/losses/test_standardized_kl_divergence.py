import torch
from mmrazor.registry import MODELS
from torch.nn.functional import kl_div, log_softmax, softmax


def loss_of(student, teacher, **options):
    return MODELS.build(dict(type='StandardizedKLDivergence', **options))(
        student, teacher
    )


def test_is_the_formula():
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 7, dtype=torch.float64)
    scores = []
    for x in (student, 5 * teacher + 3):
        scores.append((x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True) / 2)
    expected = kl_div(
        log_softmax(scores[0], 1), softmax(scores[1], 1), reduction='batchmean'
    )
    loss = loss_of(student, 5 * teacher + 3, tau=2, loss_weight=9)
    torch.testing.assert_close(loss, 9 * 4 * expected, rtol=1e-5, atol=0)


def test_scale_and_shift_of_the_logits_do_not_matter():
    student, teacher = torch.randn(2, 3, 7)
    torch.testing.assert_close(
        loss_of(student, teacher), loss_of(3 * student - 1, 0.5 * teacher + 2)
    )


def test_equal_scores_give_finite_gradients():
    student = torch.zeros(2, 5, requires_grad=True)
    loss_of(student, torch.randn(2, 5)).backward()
    assert student.grad.isfinite().all()
