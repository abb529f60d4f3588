# The schedule that MasKD's authors tune their tokens with, for 16 images.
_base_ = './coco_180k.py'

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=0.01, weight_decay=1e-3)
)
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=False, T_max=2000, eta_min=1e-6)
]
train_cfg = dict(max_iters=2000, val_interval=1000)
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(interval=500))
