# For stages_before_relu: mmpretrain's ResNet with the last ReLU of each as a module.
_base_ = './resnet34_resnet18.py'

pair = dict(teacher=dict(backbone=dict(type='StageReLUResNet')))
