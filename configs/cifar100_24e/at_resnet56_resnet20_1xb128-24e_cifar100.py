_base_ = [
    '../_base_/methods/at.py',
    '../_base_/pairs/cifar100_24e/resnet56_resnet20.py',
]

model = dict(**_base_.pair, distiller=_base_.maps)
