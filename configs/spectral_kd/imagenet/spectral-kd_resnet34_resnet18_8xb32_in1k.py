# First guess: the weight; SpectralKD is published for transformers.
_base_ = [
    '../../_base_/methods/spectral_kd.py',
    '../../_base_/pairs/imagenet/resnet34_resnet18.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.maps, loss=dict(loss_weight=0.2 / 4)),
)
