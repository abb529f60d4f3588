_base_ = ['../../stages/cifar_resnet.py', '../cifar100.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/resnet20_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet56_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet56_1xb64_cifar100/epoch_240.pth',
)
