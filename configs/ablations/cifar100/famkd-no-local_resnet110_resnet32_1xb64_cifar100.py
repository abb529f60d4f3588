# Without the local branch of frequency attention (the 1x1 convolution).
_base_ = '../../famkd/cifar100/famkd_resnet110_resnet32_1xb64_cifar100.py'

model = dict(distiller=dict(head=dict(local_branch=False)))
