_base_ = [
    '../../_base_/methods/fam_reviewkd.py',
    '../../_base_/pairs/cifar100/vgg13_mobilenetv2.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages_before_relu, loss=dict(loss_weight=5.0)),
)
