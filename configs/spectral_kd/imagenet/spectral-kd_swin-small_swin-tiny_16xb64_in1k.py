_base_ = [
    '../../_base_/methods/spectral_kd.py',
    '../../_base_/pairs/imagenet/swin-small_swin-tiny.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(**_base_.maps, loss=dict(loss_weight=0.05 / 4)),
)
train_cfg = dict(max_epochs=500)
