_base_ = [
    '../../_base_/methods/reviewkd.py',
    '../../_base_/pairs/imagenet/resnet50-relu_mobilenetv1.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages_before_relu, loss=dict(loss_weight=8.0)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
