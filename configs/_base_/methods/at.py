# Attention transfer, from map to map. https://arxiv.org/abs/1612.03928
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='StageDistiller',
        loss=dict(type='AttentionTransferLoss', loss_weight=1000.0),
    ),
)
