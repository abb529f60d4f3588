_base_ = [
    '../_base_/methods/kd_pixels.py',
    '../_base_/pairs/camvid/pspnet_r18-w32_r18-w8.py',
]

model = dict(**_base_.pair)
