_base_ = ['../../stages/resnet_mobilenet-v2.py', '../sun397.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/sun397/mobilenet-v2_1xb128_sun397.py'),
    teacher=dict(cfg_path='famkd::vanilla/sun397/resnet50_1xb128_sun397.py'),
    teacher_ckpt='work_dirs/resnet50_1xb128_sun397/epoch_70.pth',
)
