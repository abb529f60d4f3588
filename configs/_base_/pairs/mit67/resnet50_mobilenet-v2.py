_base_ = ['../../stages/resnet_mobilenet-v2.py', '../mit67.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/mit67/mobilenet-v2_1xb128_mit67.py'),
    teacher=dict(cfg_path='famkd::vanilla/mit67/resnet50_1xb128_mit67.py'),
    teacher_ckpt='work_dirs/resnet50_1xb128_mit67/epoch_70.pth',
)
