_base_ = [
    '../../_base_/methods/famkd_kd.py',
    '../../_base_/pairs/cifar100/resnet56_resnet20.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.0)),
)
