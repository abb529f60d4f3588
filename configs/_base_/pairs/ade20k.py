# What all pairs on scene labels of ADE20K share.
_base_ = [
    '../datasets/ade20k_bs128.py',
    '../schedules/scenes_70e.py',
    '../runtime.py',
]

pair = dict(input_shape=(3, 224, 224))
