# The student of the small version, alone: a quarter of the channels of the backbone,
# half of those after it.
_base_ = [
    '../_base_/models/faster-rcnn_small.py',
    '../_base_/datasets/bccd_small_bs8.py',
    '../_base_/schedules/bccd_600.py',
]

model = dict(
    backbone=dict(base_channels=8),
    neck=dict(in_channels=[8, 16, 32, 64], out_channels=32),
    rpn_head=dict(in_channels=32, feat_channels=32),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=32),
        bbox_head=dict(in_channels=32, fc_out_channels=128),
    ),
)
