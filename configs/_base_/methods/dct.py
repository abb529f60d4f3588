# The DCT-driven loss, of the samples that the teacher classifies right.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        loss=dict(type='DCTAttentionLoss', loss_weight=1.0),
        guided=True,
    ),
)
