_base_ = [
    '../../_base_/methods/fourier_kd_fpn.py',
    '../../_base_/teachers/retinanet_r101.py',
    '../../_base_/stages/fpn.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/coco_2x.py',
]

model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'),
    input_shape=(3, 256, 256),
    distiller=dict(**_base_.stages),
)
# mmdet's of RetinaNet
optim_wrapper = dict(optimizer=dict(lr=0.01))
