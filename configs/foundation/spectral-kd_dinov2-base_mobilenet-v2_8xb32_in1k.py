# SpectralKD on the last blocks. DINOv2 has no classes, so that the student's own loss
# keeps its weight, and none compares logits. First guess: the weight.
_base_ = [
    '../_base_/teachers/dinov2-base.py',
    '../_base_/stages/dinov2-base_mobilenet-v2.py',
    '../_base_/datasets/imagenet_bs32.py',
    'mmpretrain::_base_/schedules/imagenet_bs256_epochstep.py',
    '../_base_/runtime.py',
]

model = dict(
    type='mmrazor.FeatureDistill',
    **_base_.teacher,
    architecture=dict(cfg_path='mmpretrain::mobilenet_v2/mobilenet-v2_8xb32_in1k.py'),
    input_shape=(3, 224, 224),
    distiller=dict(
        type='StageDistiller',
        **_base_.last_stages,
        loss=dict(type='SpectralKDLoss', loss_weight=0.2 / 2),
    ),
)
