_base_ = [
    '../../_base_/models/cifar100_classifier.py',
    '../../_base_/datasets/cifar100_bs64.py',
    '../../_base_/schedules/cifar100_240e.py',
    '../../_base_/runtime.py',
]

model = dict(
    backbone=dict(type='CIFARWideResNet', depth=16, widen_factor=2),
    head=dict(in_channels=128),
)
