_base_ = 'mmdet::_base_/default_runtime.py'

custom_imports = dict(
    imports=['famkd.models', 'famkd.engine', 'famkd.datasets.checked_coco'],
    allow_failed_imports=False,
)

# Trainings count iterations.
default_hooks = dict(
    checkpoint=dict(
        type='SafeCheckpointHook',
        by_epoch=False,
        interval=20000,
        max_keep_ckpts=2,  # the one before, in case the last is damaged
        save_best='coco/bbox_mAP',
        rule='greater',
    ),
    nonfinite=dict(type='NonFiniteHook', action='stop'),  # or 'skip' such a step
    stop_signal=dict(type='StopSignalHook'),
    exact_resume=dict(type='ExactResumeHook'),
    # for several processes
    same_start=dict(type='SameStartHook'),
    average_losses=dict(type='AverageLossesHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
)
log_processor = dict(by_epoch=False)
