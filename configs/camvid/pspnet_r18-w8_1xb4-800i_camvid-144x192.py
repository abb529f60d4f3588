# The student, alone: an eighth of ResNet-18's channels.
_base_ = [
    '../_base_/models/pspnet_small.py',
    '../_base_/datasets/camvid_144x192.py',
    '../_base_/schedules/camvid_800.py',
]
