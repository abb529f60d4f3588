# The student's maps have half of the teacher's channels: a convolution widens them.
_base_ = [
    '../_base_/methods/fourier_kd_fpn.py',
    '../_base_/pairs/bccd/faster-rcnn_r18-w32_r18-w8.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.stages, connector=dict(type='ConvHead')),
)
custom_hooks = [_base_.warmup]
