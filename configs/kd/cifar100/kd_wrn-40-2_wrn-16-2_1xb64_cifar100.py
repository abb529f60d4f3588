_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/cifar100/wrn-40-2_wrn-16-2.py',
]

model = dict(**_base_.pair)
