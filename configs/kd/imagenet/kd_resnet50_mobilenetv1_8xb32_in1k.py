_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/imagenet/resnet50_mobilenetv1.py',
]

model = dict(**_base_.pair)
