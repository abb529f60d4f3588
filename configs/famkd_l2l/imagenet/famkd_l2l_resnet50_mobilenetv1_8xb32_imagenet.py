# FAM-KD from layer to layer: every stage alone (Fig. 2).
_base_ = '../../famkd/imagenet/famkd_resnet50_mobilenetv1_8xb32_imagenet.py'

model = dict(distiller=dict(fusion=dict(type='LocalAttentionConnector')))
