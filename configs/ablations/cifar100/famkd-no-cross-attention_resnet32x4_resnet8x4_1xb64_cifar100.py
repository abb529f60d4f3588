# Without cross attention: every stage alone.
_base_ = '../../famkd/cifar100/famkd_resnet32x4_resnet8x4_1xb64_cifar100.py'

model = dict(distiller=dict(fusion=dict(type='NoFusion')))
