_base_ = [
    '../../_base_/methods/pkt.py',
    '../../_base_/pairs/mit67/resnet152_resnet34.py',
]

model = dict(**_base_.pair)
