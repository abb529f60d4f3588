_base_ = ['../_base_/methods/famkd.py', '../_base_/cifar10_short.py']

model = dict(
    input_shape=(3, 32, 32),
    architecture=dict(cfg_path='famkd::cifar10/resnet8_1xb64_cifar10.py'),
    teacher=dict(cfg_path='famkd::cifar10/resnet20_1xb64_cifar10.py'),
    teacher_ckpt='work_dirs/resnet20_1xb64_cifar10/epoch_8.pth',
    distiller=dict(
        student_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'neck',
        ],
        teacher_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'neck',
        ],
        loss=dict(loss_weight=1.0),
    ),
)
# The warm-up of the papers, a twelfth of the schedule.
custom_hooks = [
    dict(type='DistillWarmupHook', length=80, by_epoch=False),
    dict(type='GammaLogHook', interval=100),
]
