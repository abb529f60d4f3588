_base_ = '../coco.py'

pair = dict(
    architecture=dict(
        cfg_path='famkd::vanilla/coco/faster-rcnn_r18_fpn_1xb8-180k_coco.py'
    ),
    teacher=dict(cfg_path='mmdet::faster_rcnn/faster-rcnn_r101_fpn_2x_coco.py'),
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r101_fpn_2x_coco/faster_rcnn_r101_fpn_2x_coco_bbox_mAP-0.398_20200504_210455-1d2dac9c.pth',
)
