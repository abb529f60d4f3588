_base_ = [
    '../_base_/methods/dct_kd.py',
    '../_base_/pairs/cifar10/resnet20_resnet8.py',
]

model = dict(**_base_.pair, distiller=_base_.maps)
