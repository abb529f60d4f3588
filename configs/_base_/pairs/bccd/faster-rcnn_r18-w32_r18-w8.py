_base_ = [
    '../../stages/fpn.py',
    '../../datasets/bccd_small_bs8.py',
    '../../schedules/bccd_600.py',
]

pair = dict(
    input_shape=(3, 256, 256),
    architecture=dict(
        cfg_path='famkd::bccd/faster-rcnn_r18-w8_fpn_1xb8-600i_bccd-small.py'
    ),
    teacher=dict(
        cfg_path='famkd::bccd/faster-rcnn_r18-w32_fpn_1xb8-600i_bccd-small.py'
    ),
    teacher_ckpt='work_dirs/faster-rcnn_r18-w32_fpn_1xb8-600i_bccd-small/iter_600.pth',
)

warmup = dict(type='DistillWarmupHook', length=100, by_epoch=False)
