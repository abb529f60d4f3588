# Without the local branch of frequency attention (the 1x1 convolution).
_base_ = '../../cifar100_24e/famkd_resnet56_resnet20_1xb128-24e_cifar100.py'

model = dict(distiller=dict(head=dict(local_branch=False)))
