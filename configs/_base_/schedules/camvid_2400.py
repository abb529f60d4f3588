# Three times as long, for the teacher.
_base_ = './camvid_800.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=50),
    dict(type='PolyLR', power=0.9, eta_min=1e-4, by_epoch=False, begin=50, end=2400),
]
train_cfg = dict(max_iters=2400, val_interval=400)
