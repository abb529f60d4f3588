"""Features that are constant, zero or huge give finite losses and gradients."""

from itertools import product

import pytest
import torch
from mmrazor.registry import MODELS

FUSIONS = ['CrossAttentionFusion', 'ABFusion', 'LocalAttentionConnector', 'NoFusion']
HEADS = ['FAMHead', 'DynamicFAMHead', 'ConvHead']
VARIANTS = [
    dict(type=head, high_pass=high_pass, **branches)
    for head in HEADS[:2]
    for high_pass, branches in (
        ('none', {}),
        ('gaussian', dict(local_branch=False)),
        ('butterworth', dict(local_branch=False)),
        ('ideal', dict(global_branch=False)),
    )
]
STAGES = [*product(FUSIONS, HEADS), *product(['NoFusion'], VARIANTS)]
LOSSES = ['StageMSELoss', 'HCLLoss']
MAPS = {
    'zero': lambda x: 0 * x,
    'constant': lambda x: 0 * x + 0.7,
    'huge constant': lambda x: 0 * x + 1e4,
    'huge': lambda x: 1e4 * x,
    'opposite': lambda x: -1e4 * x.abs(),
}


def config(part):
    return dict(type=part) if isinstance(part, str) else part


def check(losses, *modules, inputs=()):
    """Every loss is finite, and every gradient that there is."""
    for name, loss in losses.items():
        assert loss.isfinite().all(), name
    sum(losses.values()).backward()
    gradients = {str(i): x.grad for i, x in enumerate(inputs)}
    for module in modules:
        gradients.update({n: p.grad for n, p in module.named_parameters()})
    assert any(g is not None for g in gradients.values())
    for name, gradient in gradients.items():
        assert gradient is None or gradient.isfinite().all(), name


@pytest.mark.parametrize('maps', MAPS)
@pytest.mark.parametrize(('fusion', 'head'), STAGES, ids=str)
def test_a_stage(fusion, head, maps):
    torch.manual_seed(0)
    student, review, teacher = (
        MAPS[maps](torch.randn(2, channels, *size))
        for channels, size in ((8, (8, 6)), (8, (4, 3)), (6, (8, 6)))
    )
    inputs = [student.requires_grad_(), review.requires_grad_()]
    fusion = MODELS.build(
        dict(type=fusion, in_channels=8, review_channels=8, mid_channels=8)
    )
    head = dict(config(head), in_channels=8, out_channels=6, size=(8, 6))
    head = MODELS.build(head)
    out = head(fusion(*inputs))
    losses = {name: MODELS.build(dict(type=name))(out, teacher) for name in LOSSES}
    check(losses, fusion, head, inputs=inputs)


@pytest.mark.parametrize('images', MAPS)
@pytest.mark.parametrize(
    ('fusion', 'head'),
    [
        ('CrossAttentionFusion', 'FAMHead'),
        ('CrossAttentionFusion', 'DynamicFAMHead'),
        ('ABFusion', 'ConvHead'),
        ('ABFusion', 'FAMHead'),
        ('LocalAttentionConnector', 'FAMHead'),
        ('NoFusion', 'FAMHead'),
    ],
)
def test_a_distillation(fusion, head, images, distillation, build, batch):
    parts = dict(fusion=config(fusion), head=config(head), loss=config('HCLLoss'))
    model = build(distillation(**parts)).train()
    losses = model(MAPS[images](batch[0]), batch[1], mode='loss')
    terms = {name: value for name, value in losses.items() if 'loss' in name}
    assert len(terms) == 5
    check(terms, model)
