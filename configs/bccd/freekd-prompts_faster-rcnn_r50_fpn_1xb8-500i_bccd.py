_base_ = [
    '../_base_/methods/freekd_prompts.py',
    '../_base_/datasets/bccd_detection_bs8.py',
    '../_base_/schedules/prompts_500.py',
]

model = dict(
    teacher=dict(cfg_path='famkd::bccd/faster-rcnn_r50_fpn_1xb8-2k_bccd.py'),
    teacher_ckpt='work_dirs/faster-rcnn_r50_fpn_1xb8-2k_bccd/iter_2000.pth',
)
