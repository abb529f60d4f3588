_base_ = [
    '../_base_/methods/famkd.py',
    '../_base_/pairs/scene15/resnet18-w32_resnet18-w16.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.0)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
