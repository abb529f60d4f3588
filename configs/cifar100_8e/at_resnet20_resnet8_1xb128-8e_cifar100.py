_base_ = [
    '../_base_/methods/at.py',
    '../_base_/pairs/cifar100_8e/resnet20_resnet8.py',
]

model = dict(**_base_.pair, distiller=_base_.maps)
