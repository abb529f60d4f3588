_base_ = [
    '../_base_/methods/kd.py',
    '../_base_/pairs/cifar100_24e/resnet56_resnet20.py',
]

model = dict(**_base_.pair)
