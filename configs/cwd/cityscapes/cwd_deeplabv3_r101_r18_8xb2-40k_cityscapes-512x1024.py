_base_ = [
    '../../_base_/methods/cwd.py',
    '../../_base_/pairs/cityscapes-512x1024/deeplabv3_r101_r18.py',
]

model = dict(**_base_.pair)
