"""Losses that compare where networks look, in a distillation."""

import pytest
import torch
from mmpretrain.structures import DataSample

STAGES = ['backbone.layer1', 'backbone.layer3']


@pytest.fixture
def make(distillation, build):
    """Function (stages, **distiller): a distillation in training mode."""

    def make(stages=STAGES, **distiller):
        config = distillation()
        config['distiller'] = dict(type='StageDistiller', stages=stages, **distiller)
        return build(config).train()

    return make


def features(network, images):
    """Its maps at the stages, and its logits."""
    maps = []
    hooks = [
        network.get_submodule(stage).register_forward_hook(
            lambda module, inputs, output: maps.append(output)
        )
        for stage in STAGES
    ]
    logits = network(images, mode='tensor')
    for hook in hooks:
        hook.remove()
    return maps, logits


@pytest.mark.parametrize('kind', ['DCTAttentionLoss', 'AttentionTransferLoss'])
@pytest.mark.parametrize('guided', [True, False])
def test_a_guided_loss_is_a_loop_over_stages_and_samples(kind, guided, make, batch):
    model = make(loss=dict(type=kind, loss_weight=0.5), guided=guided)
    images = batch[0]
    students, _ = features(model.student, images)
    teachers, logits = features(model.teacher, images)
    labels = logits.argmax(dim=1)
    labels[1] = (labels[1] + 1) % 4  # the teacher gets this one wrong
    losses = model(images, [DataSample().set_gt_label(x) for x in labels], mode='loss')

    loss = model.distiller.loss
    for i, (s, t) in enumerate(zip(students, teachers, strict=True), start=1):
        expected = 0.0
        for n in range(4):
            if not guided or n != 1:
                distance = loss.per_sample(s[n : n + 1], t[n : n + 1])
                expected = expected + 0.5 * distance[0] / 4
        torch.testing.assert_close(losses[f'distill.loss_stage{i}'], expected)


def test_a_teacher_that_is_always_wrong_teaches_nothing(make, batch):
    model = make(loss=dict(type='DCTAttentionLoss'), guided=True)
    with torch.no_grad():
        wrong = (model.teacher(batch[0], mode='tensor').argmax(dim=1) + 1) % 4
    samples = [DataSample().set_gt_label(label) for label in wrong]
    losses = model(batch[0], samples, mode='loss')
    stages = losses['distill.loss_stage1'] + losses['distill.loss_stage2']
    assert stages == 0
    stages.backward()
    assert all(p.grad is None or p.grad.eq(0).all() for p in model.parameters())


def test_pkt_compares_the_pooled_vectors_and_cannot_be_guided(make, batch):
    model = make(['neck'], loss=dict(type='PKTLoss', loss_weight=30000.0))
    loss = model(*batch, mode='loss')['distill.loss_stage1']
    loss.backward()
    assert loss.isfinite() and loss > 0
    with pytest.raises(ValueError, match='guided=True: PKTLoss has no samples'):
        make(['neck'], loss=dict(type='PKTLoss'), guided=True)


@pytest.mark.parametrize('kind', ['DCTAttentionLoss', 'AttentionTransferLoss'])
def test_a_stage_of_1x1_maps_is_named(kind, make):
    with pytest.raises(
        ValueError, match=r"^student_stages: 'neck', teacher_stages: 'neck': .*1x1 map"
    ):
        make(['backbone.layer1', 'neck'], loss=dict(type=kind))


def test_a_network_without_class_scores_cannot_guide(make):
    # As a detector has none: its heads have other names.
    loss = dict(type='DCTAttentionLoss')
    with pytest.raises(
        ValueError,
        match=r"^logits \(guided and logit_loss are for classifiers\): 'roi_head' is "
        r'no module of the ',
    ):
        make(loss=loss, guided=True, logits='roi_head')
