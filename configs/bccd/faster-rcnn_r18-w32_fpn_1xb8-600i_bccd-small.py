# The teacher of the small version.
_base_ = [
    '../_base_/models/faster-rcnn_small.py',
    '../_base_/datasets/bccd_small_bs8.py',
    '../_base_/schedules/bccd_600.py',
]
