_base_ = [
    './methods/kd.py',
    './datasets/cifar100_bs64.py',
    './schedules/cifar100_240e.py',
    './default_runtime.py',
]
