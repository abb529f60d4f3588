# First guess: the weight.
_base_ = [
    '../_base_/methods/band_split.py',
    '../_base_/pairs/cifar10/resnet20_resnet8.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.maps, loss=dict(loss_weight=1.0)),
)
custom_hooks = [_base_.warmup]
