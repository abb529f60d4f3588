# A comparison that two CPU cores finish: every tenth training image, 12 epochs.
_base_ = [
    './datasets/cifar10_jpeg_bs64.py',
    './schedules/cifar100_240e.py',
    './default_runtime.py',
]

train_dataloader = dict(dataset=dict(indices=range(0, 50000, 10)))

train_cfg = dict(max_epochs=12, val_interval=4)
param_scheduler = dict(milestones=[7, 10])
