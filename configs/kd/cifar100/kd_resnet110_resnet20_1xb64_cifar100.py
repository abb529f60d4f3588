_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/cifar100/resnet110_resnet20.py',
]

model = dict(**_base_.pair)
