# Mean squared error after a 3x3 convolution: what every method on maps should beat.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        connector=dict(type='ConvHead'),
        loss=dict(type='StageMSELoss', loss_weight=1.0),
    ),
)
