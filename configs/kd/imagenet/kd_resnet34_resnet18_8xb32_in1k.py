_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/imagenet/resnet34_resnet18.py',
]

model = dict(**_base_.pair)
