# The teacher, from a detector of COCO.
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '../_base_/datasets/bccd_detection_bs8.py',
    '../_base_/schedules/bccd_2k.py',
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=3)))

load_from = 'https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_2x_coco/faster_rcnn_r50_fpn_2x_coco_bbox_mAP-0.384_20200504_210434-a5d8aa15.pth'
