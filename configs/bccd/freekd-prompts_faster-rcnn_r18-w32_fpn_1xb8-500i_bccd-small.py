_base_ = [
    '../_base_/methods/freekd_prompts.py',
    '../_base_/datasets/bccd_small_bs8.py',
    '../_base_/schedules/prompts_500.py',
]

model = dict(
    teacher=dict(
        cfg_path='famkd::bccd/faster-rcnn_r18-w32_fpn_1xb8-600i_bccd-small.py'
    ),
    teacher_ckpt='work_dirs/faster-rcnn_r18-w32_fpn_1xb8-600i_bccd-small/iter_600.pth',
)
