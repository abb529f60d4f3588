_base_ = [
    '../_base_/methods/freekd_prompts.py',
    '../_base_/datasets/camvid_144x192.py',
    '../_base_/schedules/camvid_prompts_200.py',
]

model = dict(
    source='backbone.layer4',
    teacher=dict(cfg_path='famkd::camvid/pspnet_r18-w32_1xb4-2400i_camvid-144x192.py'),
    teacher_ckpt='work_dirs/pspnet_r18-w32_1xb4-2400i_camvid-144x192/iter_2400.pth',
)
