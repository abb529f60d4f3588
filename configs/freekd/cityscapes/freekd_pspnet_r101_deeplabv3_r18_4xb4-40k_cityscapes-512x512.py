_base_ = [
    '../../_base_/methods/freekd_maps.py',
    '../../_base_/pairs/cityscapes-512x512/pspnet_r101_deeplabv3_r18.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(
        prompts='work_dirs/freekd-prompts_pspnet_r101_8xb2-10k_cityscapes-512x1024/iter_10000.pth',
    ),
)
custom_hooks = [_base_.warmup]
