_base_ = [
    '../_base_/methods/dct_kd.py',
    '../_base_/pairs/scene15/resnet18-w32_resnet18-w16.py',
]

model = dict(**_base_.pair, distiller=_base_.maps)
