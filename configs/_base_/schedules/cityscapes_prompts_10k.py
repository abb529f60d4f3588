# The schedule that MasKD's authors tune the tokens of a segmentor with, for 16 images.
_base_ = './cityscapes_40k.py'

optim_wrapper = dict(optimizer=dict(lr=0.1, weight_decay=0.0))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0, by_epoch=False, begin=0, end=10000)
]
train_cfg = dict(max_iters=10000, val_interval=5000)
default_hooks = dict(checkpoint=dict(interval=5000))
