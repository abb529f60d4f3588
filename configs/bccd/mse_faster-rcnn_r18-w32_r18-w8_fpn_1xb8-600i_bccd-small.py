_base_ = [
    '../_base_/methods/mse_fpn.py',
    '../_base_/pairs/bccd/faster-rcnn_r18-w32_r18-w8.py',
]

model = dict(**_base_.pair, distiller=_base_.stages)
custom_hooks = [_base_.warmup]
