"""FAM-KD with networks of mmpretrain and timm, of which famkd knows nothing."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

BASE = Path(__file__).parents[2] / 'configs/_base_/methods/famkd.py'


def classifier(backbone, channels, neck=True):
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=backbone,
        neck=dict(type='GlobalAveragePooling') if neck else None,
        head=dict(type='LinearClsHead', num_classes=4, in_channels=channels),
    )


def resnet(channels):
    """On images of 64x64: 16x16, 8x8, 4x4, 2x2 maps."""
    backbone = dict(
        type='ResNet', depth=18, stem_channels=channels, base_channels=channels
    )
    return classifier(backbone, 8 * channels)


def vit(channels):
    """On images of 64x64: tokens of 4x4 patches and a class token."""
    arch = dict(
        embed_dims=channels,
        num_layers=4,
        num_heads=2,
        feedforward_channels=2 * channels,
    )
    backbone = dict(type='VisionTransformer', arch=arch, img_size=64, patch_size=16)
    return classifier(backbone, channels, neck=False)


def timm(name, channels, **kwargs):
    return classifier(dict(type='TIMMBackbone', model_name=name, **kwargs), channels)


RESNET_STAGES = [
    'backbone.layer1',
    'backbone.layer2',
    'backbone.layer3',
    'backbone.layer4',
    'neck',
]
VIT_STAGES = ['backbone.layers.1', 'backbone.layers.3', 'backbone']
TIMM_RESNET_STAGES = [
    'backbone.timm_model.layer2',
    'backbone.timm_model.layer3',
    'backbone.timm_model.layer4',
    'neck',
]
TIMM_MOBILENET_STAGES = [
    'backbone.timm_model.blocks.1',
    'backbone.timm_model.blocks.4',
    'backbone.timm_model.blocks.5',
    'neck',
]
# Student and its stages, teacher and its stages, height of the teacher's maps.
PAIRS = {
    'resnet': (
        (resnet(8), RESNET_STAGES),
        (resnet(12), RESNET_STAGES),
        [16, 8, 4, 2, 1],
    ),
    'vit_teacher': (
        (resnet(8), RESNET_STAGES[1:3] + ['neck']),
        (vit(24), VIT_STAGES),
        [4, 4, 1],
    ),
    'vit_student': (
        (vit(16), VIT_STAGES),
        (resnet(12), RESNET_STAGES[1:3] + ['neck']),
        [8, 4, 1],
    ),
    'timm': (
        (timm('mobilenetv3_small_050', 1024), TIMM_MOBILENET_STAGES),
        (timm('resnet10t', 512), TIMM_RESNET_STAGES),
        [8, 4, 2, 1],
    ),
}


@pytest.fixture(params=PAIRS)
def model_and_sizes(request, build):
    if request.param == 'timm':
        pytest.importorskip('timm')
    (student, student_stages), (teacher, teacher_stages), sizes = PAIRS[request.param]
    config = Config.fromfile(BASE)
    config.merge_from_dict(
        dict(
            model=dict(
                input_shape=(3, 64, 64),
                architecture=student,
                teacher=teacher,
                allow_random_teacher=True,
                distiller=dict(
                    student_stages=student_stages,
                    teacher_stages=teacher_stages,
                    loss=dict(loss_weight=2.0),
                ),
            )
        )
    )
    return build(config.model).train(), sizes


def test_student_comes_closer_to_the_teacher(model_and_sizes, batch):
    model, sizes = model_and_sizes
    heads = [stage['head'].fam for stage in model.distiller.stages]
    assert [head.size for head in heads] == [(size, size) for size in sizes]

    images = torch.nn.functional.interpolate(batch[0], 64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    totals = []
    for _ in range(10):
        losses = model(images, batch[1], mode='loss')
        distill = sum(v for k, v in losses.items() if k.startswith('distill.loss'))
        optimizer.zero_grad()
        (distill + losses['student.loss']).backward()
        optimizer.step()
        totals.append(distill.item())
    assert totals[-1] < 0.9 * totals[0]
    first = model.student.backbone
    assert any(p.grad is not None and p.grad.any() for p in first.parameters())


def test_tokens_that_fill_no_map(distillation, build):
    config = distillation(student_stages=['backbone.layers.0'], teacher_stages=['neck'])
    config.update(architecture=vit(8), input_shape=(3, 64, 80))
    config['architecture']['backbone'].update(img_size=(64, 80))
    with pytest.raises(
        ValueError, match=r"student_stages: 'backbone.layers.0' gives 21 tokens, which"
    ):
        build(config)
    stage = dict(type='ModuleOutputs', source='backbone.layers.0', map_size=(4, 5))
    config['distiller']['student_stages'] = [stage]
    assert build(config).distiller.stages[0]['head'].fam.in_channels == 8
