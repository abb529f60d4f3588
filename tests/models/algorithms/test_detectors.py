"""Detectors as teacher and student: nothing but the config says that they are."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

pytest.importorskip('mmdet')

STAGES = [dict(source='neck', data_idx=i) for i in range(5)]


def detector(base_channels, **neck):
    """Config of a thin RetinaNet, with mmdet's frozen stages and BN."""
    config = Config.fromstring(
        "_base_ = 'mmdet::_base_/models/retinanet_r50_fpn.py'", '.py'
    )
    config.merge_from_dict(
        {
            'model.backbone': dict(
                depth=18, base_channels=base_channels, init_cfg=None
            ),
            'model.neck': dict(
                in_channels=[base_channels * n for n in (1, 2, 4, 8)],
                out_channels=16,
                **neck,
            ),
            'model.bbox_head': dict(in_channels=16, feat_channels=16, num_classes=3),
        }
    )
    return config.model


@pytest.fixture
def make(build):
    """Function (student, **changes): FAM-KD into it from another RetinaNet."""

    def make(student=None, **changes):
        config = dict(
            type='mmrazor.FeatureDistill',
            architecture=student or detector(8),
            teacher=detector(16),
            allow_random_teacher=True,
            input_shape=(3, 64, 64),
            distiller=dict(
                type='ReviewDistiller',
                student_stages=STAGES,
                teacher_stages=STAGES,
                fusion=dict(type='CrossAttentionFusion'),
                head=dict(type='DynamicFAMHead', with_relu=False),
                loss=dict(type='StageMSELoss'),
            ),
        )
        with DefaultScope.overwrite_default_scope('mmdet'):
            return build({**config, **changes}).train()

    return make


def images(model, *sizes):
    """A batch of images, of these sizes before they are padded."""
    from mmdet.testing import demo_mm_inputs

    shapes = [[3, *size] for size in sizes]
    batch = demo_mm_inputs(len(sizes), shapes, num_classes=3)
    return model.data_preprocessor(batch, True)


def test_student_trains_as_it_would_alone(make):
    model = make()
    alone = copy.deepcopy(model.student)
    batch = images(model, (64, 96), (80, 64))
    losses = model(**batch, mode='loss')
    expected = alone(**batch, mode='loss')
    for name, values in expected.items():
        torch.testing.assert_close(losses[f'student.{name}'], values, rtol=0, atol=0)
    model.parse_losses(losses)[0].backward()
    backbone = model.student.backbone
    frozen = [*backbone.conv1.parameters(), *backbone.layer1.parameters()]
    assert all(parameter.grad is None for parameter in frozen)
    assert all(parameter.grad.any() for parameter in backbone.layer4[1].parameters())
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    for name, value in model.student.state_dict().items():
        assert torch.equal(value, alone.state_dict()[name]), name


def test_teacher_runs_backbone_and_neck_only(make):
    model = make()
    calls = []
    for module in (model.teacher.neck, model.teacher.bbox_head):
        module.register_forward_pre_hook(lambda module, args: calls.append(module))
    model(**images(model, (64, 64), (64, 64)), mode='loss')
    assert calls == [model.teacher.neck]


def test_every_batch_may_have_another_size(make):
    model = make()
    for size in [(64, 64), (96, 64), (70, 130)]:
        losses = model(**images(model, size, (64, 64)), mode='loss')
        assert all(losses[f'distill.loss_stage{i}'] > 0 for i in range(1, 6))


def test_student_inherits_what_fits(make):
    model = make(inherit=['neck', 'bbox_head'])
    model.init_weights()
    student, teacher = model.student.state_dict(), model.teacher.state_dict()
    for name in ('neck.fpn_convs.0.conv.weight', 'bbox_head.retina_cls.weight'):
        assert torch.equal(student[name], teacher[name])
    lateral = 'neck.lateral_convs.0.conv.weight'
    assert student[lateral].shape != teacher[lateral].shape


def test_necks_with_different_numbers_of_levels(make):
    with pytest.raises(
        ValueError, match="student_stages: 'neck' gives 4 values, .* no data_idx=4"
    ):
        make(detector(8, num_outs=4))


def test_other_preprocessing(make):
    student = detector(8)
    student.data_preprocessor.update(mean=[103.5, 116.3, 123.7], bgr_to_rgb=False)
    with pytest.raises(ValueError, match='differ: mean .*; reverse channels False'):
        make(student)
    model = make(student, teacher_options=dict(own_normalization=True))
    model(**images(model, (64, 64), (64, 64)), mode='loss')
