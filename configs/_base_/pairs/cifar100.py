# What all pairs on CIFAR-100 share.
_base_ = [
    '../datasets/cifar100_bs64.py',
    '../schedules/cifar100_240e.py',
    '../runtime.py',
]

pair = dict(input_shape=(3, 32, 32))
