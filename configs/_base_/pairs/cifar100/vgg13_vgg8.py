_base_ = ['../../stages/resnet.py', '../cifar100.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/vgg8_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/vgg13_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/vgg13_1xb64_cifar100/epoch_240.pth',
)
