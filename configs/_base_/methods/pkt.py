# PKT: how the pooled vectors of a batch are related.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        stages=['neck'],
        loss=dict(type='PKTLoss', loss_weight=30000.0),
    ),
)
