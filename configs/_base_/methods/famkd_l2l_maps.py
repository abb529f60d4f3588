# FAM-KD from layer to layer on maps of any size.
_base_ = './famkd_maps.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionFusion')))
