# FAM-KD from layer to layer: every stage alone (Fig. 2).
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='ReviewDistiller',
        fusion=dict(type='LocalAttentionConnector'),
        head=dict(type='FAMHead'),
        loss=dict(type='StageMSELoss', loss_weight=1.0),
    ),
)
# The weight of the distillation grows over the first epochs.
custom_hooks = [
    dict(type='DistillWarmupHook', length=20),
    dict(type='GammaLogHook', interval=100),
]
