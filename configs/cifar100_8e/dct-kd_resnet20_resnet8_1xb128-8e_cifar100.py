# The DCT-driven loss of all samples, as its authors train CIFAR-100.
_base_ = [
    '../_base_/methods/dct_kd.py',
    '../_base_/pairs/cifar100_8e/resnet20_resnet8.py',
]

model = dict(**_base_.pair, distiller=dict(**_base_.maps, guided=False))
