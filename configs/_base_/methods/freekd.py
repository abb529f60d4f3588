# FreeKD, stage 2: wavelet bands under the prompts of stage 1, and mse.
# https://arxiv.org/abs/2311.12079
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(type='FreeKDDistiller', loss_weight=1.0, mse_weight=5.0),
)
