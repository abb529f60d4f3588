_base_ = 'mmpretrain::_base_/default_runtime.py'

custom_imports = dict(
    imports=['famkd.models', 'famkd.engine', 'famkd.datasets'],
    allow_failed_imports=False,
)

default_hooks = dict(
    checkpoint=dict(interval=1, max_keep_ckpts=1, save_best='auto'),
    nonfinite=dict(type='NonFiniteHook', action='stop'),  # or 'skip' such a step
    stop_signal=dict(type='StopSignalHook'),
    # of several processes: the logged losses, and the statistics of BN
    average_losses=dict(type='AverageLossesHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
)
