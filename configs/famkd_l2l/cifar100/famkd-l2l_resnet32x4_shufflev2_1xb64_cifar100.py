_base_ = [
    '../../_base_/methods/famkd_l2l.py',
    '../../_base_/pairs/cifar100/resnet32x4_shufflev2.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=20.0)),
)
