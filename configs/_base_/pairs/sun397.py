# What all pairs on SUN397, partition 1 share.
_base_ = [
    '../datasets/sun397_bs128.py',
    '../schedules/scenes_70e.py',
    '../runtime.py',
]

pair = dict(input_shape=(3, 224, 224))
