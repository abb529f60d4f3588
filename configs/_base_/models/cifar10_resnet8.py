_base_ = './cifar100_classifier.py'

model = dict(
    backbone=dict(type='CIFARResNet', depth=8),
    head=dict(num_classes=10, in_channels=64),
)
