_base_ = [
    '../_base_/models/cifar10_resnet8.py',
    '../_base_/datasets/cifar10_jpeg_bs64.py',
    '../_base_/schedules/cifar10_12e.py',
    '../_base_/runtime.py',
]
