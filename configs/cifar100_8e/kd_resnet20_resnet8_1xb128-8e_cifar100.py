_base_ = [
    '../_base_/methods/kd.py',
    '../_base_/pairs/cifar100_8e/resnet20_resnet8.py',
]

model = dict(**_base_.pair)
