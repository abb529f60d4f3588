# A teacher: it starts from ImageNet, with a tenth of the learning rate.
_base_ = [
    'mmpretrain::_base_/models/resnet50.py',
    '../../_base_/datasets/ade20k_bs128.py',
    '../../_base_/schedules/scenes_70e.py',
    '../../_base_/runtime.py',
]

model = dict(head=dict(num_classes=1055))
# All but the head, whose classes are others.
load_from = 'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth'
optim_wrapper = dict(optimizer=dict(lr=0.01))
