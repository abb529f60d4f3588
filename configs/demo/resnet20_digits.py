# The teacher.
_base_ = ['../_base_/models/cifar100_classifier.py', './digits.py']

model = dict(
    backbone=dict(type='CIFARResNet', depth=20),
    head=dict(in_channels=64, num_classes=10, topk=(1,)),
)
