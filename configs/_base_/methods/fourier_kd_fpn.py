# FourierKD on the outputs of an FPN, weight 7 each. The recipes of its authors add an
# IoU-aware loss between the heads, which is not here.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='FourierKDDistiller',
        stage_loss=dict(type='FourierKDLoss', loss_weight=7.0),
    ),
)
