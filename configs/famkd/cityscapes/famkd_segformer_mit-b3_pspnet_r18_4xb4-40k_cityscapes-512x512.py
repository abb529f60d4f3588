_base_ = [
    '../../_base_/methods/famkd_maps.py',
    '../../_base_/pairs/cityscapes-512x512/segformer_mit-b3_pspnet_r18.py',
]

model = dict(
    **_base_.pair,
    # The transformer's maps come from a LayerNorm, not from a ReLU.
    distiller=dict(**_base_.maps, head=dict(with_relu=False)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
