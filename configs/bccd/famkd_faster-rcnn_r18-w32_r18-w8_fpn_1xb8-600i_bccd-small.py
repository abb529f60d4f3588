_base_ = [
    '../_base_/methods/famkd_fpn.py',
    '../_base_/pairs/bccd/faster-rcnn_r18-w32_r18-w8.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.0)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
