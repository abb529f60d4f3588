# A thin network that learns from scratch.
_base_ = 'mmseg::_base_/models/pspnet_r50-d8.py'

norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    # Of the images in training: what is smaller is padded to it.
    data_preprocessor=dict(size=(144, 192)),
    pretrained=None,
    backbone=dict(depth=18, base_channels=8, stem_channels=8, norm_cfg=norm_cfg),
    decode_head=dict(in_channels=64, channels=16, num_classes=11, norm_cfg=norm_cfg),
    auxiliary_head=dict(in_channels=32, channels=8, num_classes=11, norm_cfg=norm_cfg),
)
