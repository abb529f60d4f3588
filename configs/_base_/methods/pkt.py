# PKT: how the pooled vectors of a batch are related.
# https://arxiv.org/abs/1803.10837
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        stages=['neck'],
        loss=dict(type='PKTLoss', loss_weight=30000.0),
    ),
)
