# What pairs of transformers on ImageNet share.
_base_ = [
    '../datasets/imagenet_swin_bs64.py',
    'mmpretrain::_base_/schedules/imagenet_bs1024_adamw_swin.py',
    '../runtime.py',
]

optim_wrapper = dict(clip_grad=dict(max_norm=5.0))

pair = dict(input_shape=(3, 224, 224))
