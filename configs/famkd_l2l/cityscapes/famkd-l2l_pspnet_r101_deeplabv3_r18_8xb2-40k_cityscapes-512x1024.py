_base_ = [
    '../../_base_/methods/famkd_l2l_maps.py',
    '../../_base_/pairs/cityscapes-512x1024/pspnet_r101_deeplabv3_r18.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.maps, loss=dict(loss_weight=1.0)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
