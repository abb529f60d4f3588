# FAM-KD from layer to layer on an FPN.
_base_ = './famkd_fpn.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionFusion')))
