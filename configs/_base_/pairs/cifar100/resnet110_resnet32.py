_base_ = ['../../stages/cifar_resnet.py', '../cifar100.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/resnet32_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet110_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet110_1xb64_cifar100/epoch_240.pth',
)
