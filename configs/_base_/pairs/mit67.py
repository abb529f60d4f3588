# What all pairs on MIT Indoor 67 share.
_base_ = [
    '../datasets/mit67_bs128.py',
    '../schedules/scenes_70e.py',
    '../runtime.py',
]

pair = dict(input_shape=(3, 224, 224))
