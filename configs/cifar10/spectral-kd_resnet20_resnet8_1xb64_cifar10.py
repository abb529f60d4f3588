# First guess: weight and temperature.
_base_ = [
    '../_base_/methods/spectral_kd.py',
    '../_base_/pairs/cifar10/resnet20_resnet8.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(
        **_base_.maps,
        loss=dict(loss_weight=0.2 / 3),
        logit_loss=dict(tau=4),
    ),
)
