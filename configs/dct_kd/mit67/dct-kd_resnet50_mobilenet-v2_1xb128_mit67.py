_base_ = [
    '../../_base_/methods/dct_kd.py',
    '../../_base_/pairs/mit67/resnet50_mobilenet-v2.py',
]

model = dict(**_base_.pair, distiller=_base_.maps)
