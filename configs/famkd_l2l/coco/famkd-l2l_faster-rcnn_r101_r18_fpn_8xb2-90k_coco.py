_base_ = [
    '../../_base_/methods/famkd_l2l_fpn.py',
    '../../_base_/pairs/coco/faster-rcnn_r101_r18_8xb2.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, loss=dict(loss_weight=1.2)),
)
custom_hooks = [_base_.warmup, dict(type='GammaLogHook')]
