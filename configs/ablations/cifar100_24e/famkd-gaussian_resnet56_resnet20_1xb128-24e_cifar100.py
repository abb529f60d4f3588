# A Gaussian high-pass filter (Table A.2).
_base_ = '../../cifar100_24e/famkd_resnet56_resnet20_1xb128-24e_cifar100.py'

model = dict(distiller=dict(head=dict(high_pass='gaussian')))
