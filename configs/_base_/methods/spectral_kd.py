# SpectralKD: 0.1 cross entropy + 0.9 KD, T = 1, + 0.2 times the mean over the pairs of
# maps: a recipe divides 0.2 by their number.
model = dict(
    type='mmrazor.FeatureDistill',
    architecture=dict(head=dict(loss=dict(loss_weight=0.1))),
    distiller=dict(
        type='StageDistiller',
        loss=dict(type='SpectralKDLoss', loss_weight=0.2),
        logit_loss=dict(type='KLDivergence', tau=1, loss_weight=0.9),
    ),
)
