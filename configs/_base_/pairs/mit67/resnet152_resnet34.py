_base_ = ['../../stages/resnet.py', '../mit67.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/mit67/resnet34_1xb128_mit67.py'),
    teacher=dict(cfg_path='famkd::vanilla/mit67/resnet152_1xb128_mit67.py'),
    teacher_ckpt='work_dirs/resnet152_1xb128_mit67/epoch_70.pth',
)
