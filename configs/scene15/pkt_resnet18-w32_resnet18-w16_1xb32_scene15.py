_base_ = [
    '../_base_/methods/pkt.py',
    '../_base_/pairs/scene15/resnet18-w32_resnet18-w16.py',
]

model = dict(**_base_.pair)
