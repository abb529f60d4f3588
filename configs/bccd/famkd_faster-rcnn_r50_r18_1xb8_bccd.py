_base_ = ['../_base_/methods/famkd_fpn.py', '../_base_/bccd.py']

model = dict(
    architecture=dict(cfg_path='famkd::bccd/faster-rcnn_r18_fpn_1xb8_bccd.py'),
    teacher=dict(cfg_path='famkd::bccd/faster-rcnn_r50_fpn_1xb8_bccd.py'),
    teacher_ckpt='work_dirs/faster-rcnn_r50_fpn_1xb8_bccd/iter_2000.pth',
    distiller=dict(loss=dict(loss_weight=1.0)),
)
custom_hooks = [
    dict(type='DistillWarmupHook', length=100, by_epoch=False),
    dict(type='GammaLogHook', interval=20),
]
