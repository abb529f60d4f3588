_base_ = [
    '../_base_/methods/famkd.py',
    '../_base_/pairs/cifar100_8e/resnet20_resnet8.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.0)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
