_base_ = [
    '../../_base_/models/cifar100_classifier.py',
    '../../_base_/datasets/cifar100_bs64.py',
    '../../_base_/schedules/cifar100_240e.py',
    '../../_base_/runtime.py',
]

model = dict(
    backbone=dict(type='CIFARMobileNetV2', widen_factor=0.5),
    head=dict(in_channels=1280),
)

optim_wrapper = dict(optimizer=dict(lr=0.01))
