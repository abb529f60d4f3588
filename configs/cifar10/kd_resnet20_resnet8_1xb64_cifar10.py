_base_ = ['../_base_/methods/kd.py', '../_base_/cifar10_short.py']

model = dict(
    architecture=dict(cfg_path='famkd::cifar10/resnet8_1xb64_cifar10.py'),
    teacher=dict(cfg_path='famkd::cifar10/resnet20_1xb64_cifar10.py'),
    teacher_ckpt='work_dirs/resnet20_1xb64_cifar10/epoch_8.pth',
)
