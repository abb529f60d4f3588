# The teacher: four times the student's channels.
_base_ = [
    '../_base_/models/pspnet_small.py',
    '../_base_/datasets/camvid_144x192.py',
    '../_base_/schedules/camvid_2400.py',
]

model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    decode_head=dict(in_channels=256, channels=64),
    auxiliary_head=dict(in_channels=128, channels=32),
)
