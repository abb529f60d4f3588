_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/cifar100/vgg13_vgg8.py',
]

model = dict(**_base_.pair)
