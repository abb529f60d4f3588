# For stages_before_relu: mmpretrain's ResNet with the last ReLU of each as a module.
_base_ = './resnet50_mobilenetv1.py'

pair = dict(teacher=dict(backbone=dict(type='StageReLUResNet')))
