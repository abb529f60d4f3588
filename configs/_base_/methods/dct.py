# The DCT-driven loss, of the samples that the teacher classifies right.
# https://arxiv.org/abs/2205.01997
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        loss=dict(type='DCTAttentionLoss', loss_weight=1.0),
        guided=True,
    ),
)
