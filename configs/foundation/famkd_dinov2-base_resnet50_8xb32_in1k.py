# First guess: the weight.
_base_ = [
    '../_base_/methods/famkd_tokens.py',
    '../_base_/pairs/foundation/dinov2-base_resnet50.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.0)),
)
custom_hooks = [
    dict(type='DistillWarmupHook', length=1),
    dict(type='GammaLogHook'),
]
