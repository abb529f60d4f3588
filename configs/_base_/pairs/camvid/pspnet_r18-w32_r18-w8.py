_base_ = [
    '../../stages/resnet.py',
    '../../datasets/camvid_144x192.py',
    '../../schedules/camvid_800.py',
]

pair = dict(
    input_shape=(3, 144, 192),
    architecture=dict(
        cfg_path='famkd::camvid/pspnet_r18-w8_1xb4-800i_camvid-144x192.py'
    ),
    teacher=dict(cfg_path='famkd::camvid/pspnet_r18-w32_1xb4-2400i_camvid-144x192.py'),
    teacher_ckpt='work_dirs/pspnet_r18-w32_1xb4-2400i_camvid-144x192/iter_2400.pth',
)

warmup = dict(type='DistillWarmupHook', length=100, by_epoch=False)
