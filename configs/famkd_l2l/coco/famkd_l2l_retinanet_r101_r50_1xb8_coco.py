# FAM-KD from layer to layer: every stage alone (Fig. 2).
_base_ = '../../famkd/coco/famkd_retinanet_r101_r50_1xb8_coco.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionConnector')))
