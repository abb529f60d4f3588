# The teacher of the small version.
_base_ = [
    '../_base_/models/faster-rcnn_small.py',
    '../_base_/datasets/bccd_small_bs8.py',
    '../_base_/schedules/bccd_600.py',
]

model = dict(
    backbone=dict(base_channels=32),
    neck=dict(in_channels=[32, 64, 128, 256]),
)
