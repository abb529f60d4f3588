# First guess: the weight.
_base_ = [
    '../_base_/methods/famkd_tokens.py',
    '../_base_/teachers/dinov2-base.py',
    '../_base_/stages/dinov2-base_resnet.py',
    '../_base_/datasets/imagenet_bs32.py',
    'mmpretrain::_base_/schedules/imagenet_bs256.py',
    '../_base_/runtime.py',
]

model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmpretrain::resnet/resnet50_8xb32_in1k.py'),
    input_shape=(3, 224, 224),
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.0)),
)
custom_hooks = [
    dict(type='DistillWarmupHook', length=1),
    dict(type='GammaLogHook'),
]
