_base_ = [
    '../_base_/methods/fam_reviewkd.py',
    '../_base_/pairs/cifar100_24e/resnet56_resnet20.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages_before_relu, loss=dict(loss_weight=0.6)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
