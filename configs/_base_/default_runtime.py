_base_ = 'mmpretrain::_base_/default_runtime.py'

custom_imports = dict(
    imports=['famkd.models', 'famkd.engine', 'famkd.datasets'],
    allow_failed_imports=False,
)

default_hooks = dict(
    checkpoint=dict(
        type='SafeCheckpointHook',
        interval=1,
        max_keep_ckpts=2,  # the one before, in case the last is damaged
        save_best='auto',
    ),
    nonfinite=dict(type='NonFiniteHook', action='stop'),  # or 'skip' such a step
    stop_signal=dict(type='StopSignalHook'),
    exact_resume=dict(type='ExactResumeHook'),
    # for several processes
    same_start=dict(type='SameStartHook'),
    average_losses=dict(type='AverageLossesHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
)
