_base_ = ['../coco_2x.py', '../../teachers/faster-rcnn_r101.py']

pair = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'),
)
