_base_ = [
    '../_base_/models/scene15_resnet18-w16.py',
    '../_base_/datasets/scene15_bs32.py',
    '../_base_/schedules/scene15_12e.py',
    '../_base_/runtime.py',
]
