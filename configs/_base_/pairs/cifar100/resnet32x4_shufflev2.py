_base_ = ['../../stages/cifar_resnet.py', '../cifar100.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/shufflev2_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet32x4_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet32x4_1xb64_cifar100/epoch_240.pth',
)

stages = stages_before_relu = dict(
    student_stages=[
        'backbone.layers.0',
        'backbone.layers.1',
        'backbone.layers.2',
        'neck',
    ],
)

optim_wrapper = dict(optimizer=dict(lr=0.01))
