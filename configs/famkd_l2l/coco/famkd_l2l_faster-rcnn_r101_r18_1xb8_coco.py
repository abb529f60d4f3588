# FAM-KD from layer to layer: every stage alone (Fig. 2).
_base_ = '../../famkd/coco/famkd_faster-rcnn_r101_r18_1xb8_coco.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionConnector')))
