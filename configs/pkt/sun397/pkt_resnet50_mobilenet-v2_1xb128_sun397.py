_base_ = [
    '../../_base_/methods/pkt.py',
    '../../_base_/pairs/sun397/resnet50_mobilenet-v2.py',
]

model = dict(**_base_.pair)
