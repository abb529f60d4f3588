# Short enough for two CPU cores.
_base_ = './cifar100_240e.py'

train_cfg = dict(max_epochs=12, val_interval=4)
param_scheduler = dict(milestones=[7, 10])
