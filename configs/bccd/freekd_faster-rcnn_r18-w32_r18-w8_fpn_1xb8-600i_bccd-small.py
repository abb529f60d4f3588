_base_ = [
    '../_base_/methods/freekd.py',
    '../_base_/pairs/bccd/faster-rcnn_r18-w32_r18-w8.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_faster-rcnn_r18-w32_fpn_1xb8-500i_bccd-small/iter_500.pth',
    ),
)
custom_hooks = [_base_.warmup]
