# Attention transfer, from map to map.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        loss=dict(type='AttentionTransferLoss', loss_weight=1000.0),
    ),
)
