_base_ = [
    '../../stages/fpn.py',
    '../../datasets/bccd_detection_bs8.py',
    '../../schedules/bccd_2k.py',
]

pair = dict(
    input_shape=(3, 256, 256),
    architecture=dict(cfg_path='famkd::bccd/faster-rcnn_r18_fpn_1xb8-2k_bccd.py'),
    teacher=dict(cfg_path='famkd::bccd/faster-rcnn_r50_fpn_1xb8-2k_bccd.py'),
    teacher_ckpt='work_dirs/faster-rcnn_r50_fpn_1xb8-2k_bccd/iter_2000.pth',
)

warmup = dict(type='DistillWarmupHook', length=100, by_epoch=False)
