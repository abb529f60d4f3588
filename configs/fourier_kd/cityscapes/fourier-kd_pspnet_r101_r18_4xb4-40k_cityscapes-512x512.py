_base_ = [
    '../../_base_/methods/fourier_kd_maps.py',
    '../../_base_/pairs/cityscapes-512x512/pspnet_r101_r18.py',
]

model = dict(**_base_.pair)
