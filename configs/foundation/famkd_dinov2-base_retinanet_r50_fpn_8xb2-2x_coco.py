# DINOv2 for the backbone of a detector. At 7/8 of the student's images, its patches of
# 14 pixels lie on the places of the student's map of stride 16.
# First guess: the weight.
_base_ = [
    '../_base_/teachers/dinov2-base.py',
    '../_base_/datasets/coco_detection_bs2.py',
    '../_base_/schedules/coco_2x.py',
]

model = dict(
    type='mmrazor.FeatureDistill',
    teacher=dict(**_base_.teacher.teacher, backbone=dict(out_type='featmap')),
    teacher_ckpt=_base_.teacher.teacher_ckpt,
    teacher_options=dict(dtype='bfloat16', input_scale=7 / 8, own_normalization=True),
    architecture=dict(cfg_path='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'),
    # Any shape will do: nothing is built for a size.
    input_shape=(3, 256, 256),
    distiller=dict(
        type='StageDistiller',
        student_stages=['backbone.layer3'],
        teacher_stages=['backbone'],
        connector=dict(type='DynamicFAMHead', with_relu=False),
        loss=dict(type='StageMSELoss', loss_weight=1.0),
    ),
)
custom_hooks = [
    dict(type='DistillWarmupHook', length=1000, by_epoch=False),
    dict(type='GammaLogHook'),
]
