_base_ = [
    '../../_base_/methods/dct_kd.py',
    '../../_base_/pairs/sun397/resnet50_resnet18.py',
]

model = dict(**_base_.pair, distiller=_base_.maps)
