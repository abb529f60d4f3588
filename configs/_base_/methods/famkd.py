# FAM-KD: cross attention fuses, frequency attention meets the teacher (Fig. 3).
# https://arxiv.org/abs/2403.05894, https://github.com/cuong-pv/FAM-KD
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='ReviewDistiller',
        fusion=dict(type='CrossAttentionFusion'),
        head=dict(type='FAMHead'),
        loss=dict(type='StageMSELoss', loss_weight=1.0),
    ),
)
# The weight of the distillation grows over the first epochs.
custom_hooks = [
    dict(type='DistillWarmupHook', length=20),
    dict(type='GammaLogHook'),
]
