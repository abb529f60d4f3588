_base_ = [
    '../../stages/cifar_resnet.py',
    '../../datasets/cifar10_jpeg_bs64.py',
    '../../schedules/cifar10_12e.py',
    '../../runtime.py',
]

pair = dict(
    input_shape=(3, 32, 32),
    architecture=dict(cfg_path='famkd::cifar10/resnet8_1xb64_cifar10.py'),
    teacher=dict(cfg_path='famkd::cifar10/resnet20_1xb64_cifar10.py'),
    teacher_ckpt='work_dirs/resnet20_1xb64_cifar10/epoch_5.pth',
)

# A twelfth of the schedule, as in the papers.
warmup = dict(type='DistillWarmupHook', length=80, by_epoch=False)
