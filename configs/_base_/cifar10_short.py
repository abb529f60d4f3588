# A comparison that two CPU cores finish: every tenth training image, 15 epochs.
_base_ = [
    './datasets/cifar10_jpeg_bs64.py',
    './schedules/cifar100_240e.py',
    './default_runtime.py',
]

train_dataloader = dict(dataset=dict(indices=range(0, 50000, 10)))

train_cfg = dict(max_epochs=15, val_interval=5)
param_scheduler = dict(milestones=[9, 12, 14])
