# The teacher has half the channels of a ResNet-18, and more time.
_base_ = [
    '../_base_/models/scene15_resnet18-w16.py',
    '../_base_/datasets/scene15_bs32.py',
    '../_base_/schedules/scene15_12e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(base_channels=32, stem_channels=32), head=dict(in_channels=256)
)
train_cfg = dict(max_epochs=40, val_interval=20)
param_scheduler = dict(milestones=[26, 35])
