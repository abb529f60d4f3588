# Without cross attention: every stage alone.
_base_ = '../../cifar100_24e/famkd_resnet56_resnet20_1xb128-24e_cifar100.py'

model = dict(distiller=dict(fusion=dict(type='NoFusion')))
