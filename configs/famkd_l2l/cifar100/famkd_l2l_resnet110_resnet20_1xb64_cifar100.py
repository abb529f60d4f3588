_base_ = '../../_base_/famkd_l2l_cifar100.py'

model = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/resnet20_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet110_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet110_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        # The released weight; the supplement would give 20.
        loss=dict(loss_weight=1.0),
    ),
)
