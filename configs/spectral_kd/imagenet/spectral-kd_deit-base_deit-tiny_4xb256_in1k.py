# As published, but for the teacher: there CaiT-S24, which mmpretrain has not.
_base_ = [
    '../../_base_/methods/spectral_kd.py',
    '../../_base_/pairs/imagenet/deit-base_deit-tiny.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.maps, loss=dict(loss_weight=0.2 / 8)),
)
train_cfg = dict(max_epochs=400)
