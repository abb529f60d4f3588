_base_ = ['../../stages/cifar_wrn.py', '../cifar100.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/shufflev1_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/wrn-40-2_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/wrn-40-2_1xb64_cifar100/epoch_240.pth',
)

optim_wrapper = dict(optimizer=dict(lr=0.01))
