# Without the global branch of frequency attention (the filter).
_base_ = '../../famkd/cifar100/famkd_resnet110_resnet32_1xb64_cifar100.py'

model = dict(distiller=dict(head=dict(global_branch=False)))
