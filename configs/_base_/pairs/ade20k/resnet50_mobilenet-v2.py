_base_ = ['../../stages/resnet_mobilenet-v2.py', '../ade20k.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/ade20k/mobilenet-v2_1xb128_ade20k.py'),
    teacher=dict(cfg_path='famkd::vanilla/ade20k/resnet50_1xb128_ade20k.py'),
    teacher_ckpt='work_dirs/resnet50_1xb128_ade20k/epoch_70.pth',
)
