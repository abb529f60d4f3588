# SpectralKD on the last blocks. DINOv2 has no classes, so that the student's own loss
# keeps its weight, and none compares logits. First guess: the weight.
_base_ = '../_base_/pairs/foundation/dinov2-base_mobilenet-v2.py'

model = dict(
    type='mmrazor.FeatureDistill',
    **_base_.pair,
    distiller=dict(
        type='StageDistiller',
        **_base_.last_stages,
        loss=dict(type='SpectralKDLoss', loss_weight=0.2 / 2),
    ),
)
