_base_ = [
    '../_base_/methods/freekd_maps.py',
    '../_base_/pairs/camvid/pspnet_r18-w32_r18-w8.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(
        prompts='work_dirs/freekd-prompts_pspnet_r18-w32_1xb4-200i_camvid-144x192/iter_200.pth',
    ),
)
custom_hooks = [_base_.warmup]
