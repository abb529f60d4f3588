_base_ = './camvid_800.py'

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=0.01, weight_decay=1e-3)
)
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=False, T_max=200, eta_min=1e-6)
]
train_cfg = dict(max_iters=200, val_interval=200)
default_hooks = dict(checkpoint=dict(interval=100))
