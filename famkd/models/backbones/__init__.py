from .cifar_resnet import CIFARResNet
from .stage_relu import StageReLUResNet, StageReLUResNet_CIFAR

__all__ = ['CIFARResNet', 'StageReLUResNet', 'StageReLUResNet_CIFAR']
