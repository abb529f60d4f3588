# FAM-KD from layer to layer: every stage alone (Fig. 2).
# https://arxiv.org/abs/2403.05894
_base_ = './famkd.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionFusion')))
