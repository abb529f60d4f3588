_base_ = [
    '../../_base_/methods/famkd_l2l.py',
    '../../_base_/pairs/imagenet/resnet50_mobilenetv1.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.0)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
