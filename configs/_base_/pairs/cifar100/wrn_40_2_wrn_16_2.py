_base_ = ['../../stages/cifar_wrn.py', '../cifar100.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/wrn_16_2_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/wrn_40_2_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/wrn_40_2_1xb64_cifar100/epoch_240.pth',
)
