_base_ = [
    '../_base_/methods/pkt.py',
    '../_base_/pairs/cifar10/resnet20_resnet8.py',
]

model = dict(**_base_.pair)
