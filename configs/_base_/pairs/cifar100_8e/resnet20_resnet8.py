_base_ = [
    '../../stages/cifar_resnet.py',
    '../../datasets/cifar100_bs128.py',
    '../../schedules/cifar100_8e.py',
    '../../runtime.py',
]

pair = dict(
    input_shape=(3, 32, 32),
    architecture=dict(cfg_path='famkd::cifar100_8e/resnet8_1xb128-8e_cifar100.py'),
    teacher=dict(cfg_path='famkd::cifar100_8e/resnet20_1xb128-8e_cifar100.py'),
    teacher_ckpt='work_dirs/resnet20_1xb128-8e_cifar100/epoch_8.pth',
)

# A twelfth of the schedule, as in the papers.
warmup = dict(type='DistillWarmupHook', length=260, by_epoch=False)
