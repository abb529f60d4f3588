# A thirtieth of the papers' 240 epochs, for two CPU cores without bfloat16.
_base_ = './cifar100_24e.py'

train_cfg = dict(max_epochs=8)
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=7, end=8)
