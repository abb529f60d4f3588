_base_ = ['../coco_2x.py', '../../teachers/retinanet_r101.py']

pair = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'),
)
