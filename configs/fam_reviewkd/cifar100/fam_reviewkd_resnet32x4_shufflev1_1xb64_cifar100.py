_base_ = '../../_base_/fam_reviewkd_cifar100.py'

model = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/shufflev1_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet32x4_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet32x4_1xb64_cifar100/epoch_240.pth',
    distiller=dict(loss=dict(loss_weight=5.0)),
)

optim_wrapper = dict(optimizer=dict(lr=0.01))
