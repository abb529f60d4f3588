_base_ = '../../_base_/famkd_l2l_cifar100.py'

model = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/shufflev2_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet32x4_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet32x4_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        loss=dict(loss_weight=20.0),
        student_stages=[
            'backbone.layers.0',
            'backbone.layers.1',
            'backbone.layers.2',
            'neck',
        ],
    ),
)

optim_wrapper = dict(optimizer=dict(lr=0.01))
