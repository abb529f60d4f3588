# ReviewKD: attention-based fusion, 3x3 convolution, hierarchical context loss.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='ReviewDistiller',
        fusion=dict(type='ABFusion'),
        head=dict(type='ConvHead'),
        loss=dict(type='HCLLoss', loss_weight=1.0),
    ),
)
# The weight of the distillation grows over the first epochs.
custom_hooks = [
    dict(type='DistillWarmupHook', length=20),
    dict(type='GammaLogHook'),
]
