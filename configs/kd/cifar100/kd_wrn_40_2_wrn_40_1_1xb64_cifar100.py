_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/cifar100/wrn_40_2_wrn_40_1.py',
]

model = dict(**_base_.pair)
