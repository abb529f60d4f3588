# 8 GPUs: twice the batch and learning rate, half the iterations.
_base_ = './faster-rcnn_r50_mobilenet-v2.py'

train_dataloader = dict(batch_size=2)
optim_wrapper = dict(optimizer=dict(lr=0.02))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=False, milestones=[60000, 80000], gamma=0.1),
]
train_cfg = dict(max_iters=90000, val_interval=10000)
auto_scale_lr = dict(base_batch_size=16)
