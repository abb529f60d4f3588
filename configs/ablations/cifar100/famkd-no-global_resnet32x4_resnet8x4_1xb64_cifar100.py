# Without the global branch of frequency attention (the filter).
_base_ = '../../famkd/cifar100/famkd_resnet32x4_resnet8x4_1xb64_cifar100.py'

model = dict(distiller=dict(head=dict(global_branch=False)))
