# ReviewKD: attention-based fusion, 3x3 convolution, hierarchical context loss.
# https://arxiv.org/abs/2104.09044, https://github.com/dvlab-research/ReviewKD
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
