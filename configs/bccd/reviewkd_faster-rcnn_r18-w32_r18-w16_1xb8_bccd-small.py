_base_ = ['../_base_/methods/reviewkd_fpn.py', '../_base_/bccd_small.py']

model = dict(
    architecture=dict(cfg_path='famkd::bccd/faster-rcnn_r18-w16_1xb8_bccd-small.py'),
    teacher=dict(cfg_path='famkd::bccd/faster-rcnn_r18-w32_1xb8_bccd-small.py'),
    teacher_ckpt='work_dirs/faster-rcnn_r18-w32_1xb8_bccd-small/iter_600.pth',
    distiller=dict(loss=dict(loss_weight=1.0)),
)
custom_hooks = [
    dict(type='DistillWarmupHook', length=100, by_epoch=False),
]
