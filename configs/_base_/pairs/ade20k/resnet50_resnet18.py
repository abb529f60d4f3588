_base_ = ['../../stages/resnet.py', '../ade20k.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/ade20k/resnet18_1xb128_ade20k.py'),
    teacher=dict(cfg_path='famkd::vanilla/ade20k/resnet50_1xb128_ade20k.py'),
    teacher_ckpt='work_dirs/resnet50_1xb128_ade20k/epoch_70.pth',
)
