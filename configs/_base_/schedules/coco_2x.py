# 24 epochs of 16 images, as FreeKD's authors train.
_base_ = './coco_180k.py'

optim_wrapper = dict(optimizer=dict(lr=0.02), clip_grad=dict(max_norm=35))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=False, milestones=[117300, 161300], gamma=0.1),
]
train_cfg = dict(max_iters=176000, val_interval=22000)
auto_scale_lr = dict(base_batch_size=16)
