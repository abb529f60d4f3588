_base_ = [
    '../../_base_/methods/freekd_prompts.py',
    '../../_base_/teachers/retinanet_r101.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/prompts_2k.py',
]

model = dict(**_base_.teacher)
