# Counts iterations, and so do the checkpoints of its runtime.
_base_ = 'mmdet::_base_/default_runtime.py'

custom_imports = dict(
    imports=['famkd.models', 'famkd.engine', 'famkd.datasets.checked_coco'],
    allow_failed_imports=False,
)

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=False, milestones=[120000, 160000], gamma=0.1),
]

train_cfg = dict(type='IterBasedTrainLoop', max_iters=180000, val_interval=20000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# `--auto-scale-lr` scales the learning rate by the actual batch size over this.
auto_scale_lr = dict(enable=False, base_batch_size=8)

default_hooks = dict(
    checkpoint=dict(
        by_epoch=False,
        interval=20000,
        max_keep_ckpts=2,  # the one before, in case the last is damaged
        save_best='coco/bbox_mAP',
        rule='greater',
    ),
)
log_processor = dict(by_epoch=False)
