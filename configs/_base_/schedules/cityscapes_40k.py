# 40,000 iterations of 16 images, SGD, learning rate 0.01 with polynomial decay.
_base_ = [
    'mmseg::_base_/schedules/schedule_40k.py',
    'mmseg::_base_/default_runtime.py',
]

custom_imports = dict(
    imports=['famkd.models', 'famkd.engine', 'famkd.datasets.checked_seg'],
    allow_failed_imports=False,
)

# `--auto-scale-lr` scales the learning rate by the actual batch size over this.
auto_scale_lr = dict(enable=False, base_batch_size=16)

default_hooks = dict(
    checkpoint=dict(
        max_keep_ckpts=2,  # the one before, in case the last is damaged
        save_best='mIoU',
    ),
)
