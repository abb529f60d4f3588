_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/cifar100/resnet32x4_shufflev2.py',
]

model = dict(**_base_.pair)
