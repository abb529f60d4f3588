_base_ = [
    '../_base_/models/cifar100_classifier.py',
    '../_base_/datasets/cifar100_bs128.py',
    '../_base_/schedules/cifar100_8e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(type='CIFARResNet', depth=20),
    head=dict(in_channels=64),
)
