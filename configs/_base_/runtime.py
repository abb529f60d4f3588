_base_ = 'mmpretrain::_base_/default_runtime.py'

custom_imports = dict(
    imports=['famkd.models', 'famkd.engine', 'famkd.datasets'],
    allow_failed_imports=False,
)

default_hooks = dict(
    checkpoint=dict(
        interval=1,
        max_keep_ckpts=2,  # the one before, in case the last is damaged
        save_best='auto',
    ),
)
