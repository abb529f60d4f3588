_base_ = [
    '../../teachers/dinov2-base.py',
    '../../stages/dinov2-base_resnet.py',
    '../../datasets/imagenet_bs32.py',
    'mmpretrain::_base_/schedules/imagenet_bs256.py',
    '../../runtime.py',
]

pair = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmpretrain::resnet/resnet50_8xb32_in1k.py'),
    input_shape=(3, 224, 224),
)
