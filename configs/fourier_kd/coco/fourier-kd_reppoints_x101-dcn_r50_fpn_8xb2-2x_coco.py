_base_ = [
    '../../_base_/methods/fourier_kd_fpn.py',
    '../../_base_/pairs/coco_2x/reppoints_x101-dcn_r50.py',
]

model = dict(**_base_.pair, distiller=dict(**_base_.stages))
