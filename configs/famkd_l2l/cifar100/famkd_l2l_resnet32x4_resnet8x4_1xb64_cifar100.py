# FAM-KD from layer to layer: every stage alone (Fig. 2).
_base_ = '../../famkd/cifar100/famkd_resnet32x4_resnet8x4_1xb64_cifar100.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionConnector')))
