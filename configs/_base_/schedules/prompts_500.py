# For a data set of a few hundred images.
_base_ = './prompts_2k.py'

param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=False, T_max=500, eta_min=1e-6)
]
train_cfg = dict(max_iters=500, val_interval=250)
auto_scale_lr = dict(base_batch_size=8)
default_hooks = dict(checkpoint=dict(interval=250), logger=dict(interval=20))
