# What all pairs on ImageNet share.
_base_ = [
    '../datasets/imagenet_bs32.py',
    'mmpretrain::_base_/schedules/imagenet_bs256.py',
    '../runtime.py',
]

pair = dict(input_shape=(3, 224, 224))
warmup = dict(type='DistillWarmupHook', length=1)
