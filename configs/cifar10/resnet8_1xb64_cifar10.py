_base_ = ['../_base_/models/cifar10_resnet8.py', '../_base_/cifar10_short.py']
