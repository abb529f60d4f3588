_base_ = [
    '../../_base_/methods/fourier_kd_fpn.py',
    '../../_base_/pairs/coco_2x/retinanet_r101_r50.py',
]

model = dict(**_base_.pair, distiller=dict(**_base_.stages))
# mmdet's of RetinaNet
optim_wrapper = dict(optimizer=dict(lr=0.01))
