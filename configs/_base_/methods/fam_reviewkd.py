# ReviewKD with frequency attention in place of the 3x3 convolution (Table A.1).
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='ReviewDistiller',
        fusion=dict(type='ABFusion'),
        head=dict(type='FAMHead', with_relu=False),
        loss=dict(type='HCLLoss', loss_weight=1.0),
    ),
)
# The weight of the distillation grows over the first epochs.
custom_hooks = [
    dict(type='DistillWarmupHook', length=20),
    dict(type='GammaLogHook', interval=100),
]
