# FAM-KD from layer to layer: every stage alone (Fig. 2).
_base_ = '../../famkd/cifar100/famkd_wrn_40_2_wrn_16_2_1xb64_cifar100.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionConnector')))
