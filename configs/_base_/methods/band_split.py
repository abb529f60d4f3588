# A 3x3 convolution, then low and high frequencies compared apart.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        connector=dict(type='ConvHead'),
        loss=dict(type='BandSplitLoss', loss_weight=1.0),
    ),
)
# The weight of the distillation grows over the first epochs.
custom_hooks = [dict(type='DistillWarmupHook', length=20)]
