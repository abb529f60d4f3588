_base_ = [
    '../../stages/cifar_resnet.py',
    '../../datasets/cifar100_bs128.py',
    '../../schedules/cifar100_24e.py',
    '../../runtime.py',
]

pair = dict(
    input_shape=(3, 32, 32),
    architecture=dict(cfg_path='famkd::cifar100_24e/resnet20_1xb128-24e_cifar100.py'),
    teacher=dict(cfg_path='famkd::cifar100_24e/resnet56_1xb128-24e_cifar100.py'),
    # The teacher that its recipe trains, 67.5 %, in float16 (docs/results.md).
    teacher_ckpt='checkpoints/resnet56_1xb128-24e_cifar100-267be21f.pth',
)

# A twelfth of the schedule, as in the papers.
warmup = dict(type='DistillWarmupHook', length=2)
