_base_ = [
    'mmpretrain::_base_/models/mobilenet_v2_1x.py',
    '../../_base_/datasets/sun397_bs128.py',
    '../../_base_/schedules/scenes_70e.py',
    '../../_base_/runtime.py',
]

model = dict(head=dict(num_classes=397))
