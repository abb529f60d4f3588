# The teacher sees all training images.
_base_ = [
    '../_base_/models/cifar10_resnet8.py',
    '../_base_/datasets/cifar10_jpeg_bs64.py',
    '../_base_/schedules/cifar10_12e.py',
    '../_base_/runtime.py',
]

model = dict(backbone=dict(depth=20))

train_dataloader = dict(dataset=dict(indices=None))
train_cfg = dict(max_epochs=5, val_interval=5)
param_scheduler = dict(milestones=[3, 4])
