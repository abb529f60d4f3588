# FreeKD, stage 2: wavelet bands under the prompts of stage 1, and mse.
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(type='FreeKDDistiller', loss_weight=1.0, mse_weight=5.0),
)
