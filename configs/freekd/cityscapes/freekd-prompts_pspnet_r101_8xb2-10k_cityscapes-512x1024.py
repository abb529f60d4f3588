_base_ = [
    '../../_base_/methods/freekd_prompts.py',
    '../../_base_/teachers/pspnet_r101.py',
    '../../_base_/datasets/cityscapes_512x1024_bs2.py',
    '../../_base_/schedules/cityscapes_prompts_10k.py',
]

model = dict(**_base_.teacher, source='backbone.layer4')
