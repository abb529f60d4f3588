# KD as released with the DCT-driven loss: 0.1 cross entropy + 0.8 T^2 KL, T = 4.
_base_ = [
    '../../_base_/methods/kd.py',
    '../../_base_/pairs/sun397/resnet50_resnet18.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(distill_losses=dict(loss_kl=dict(loss_weight=0.8))),
)
