# As released, but all samples count.
_base_ = './dct_resnet18-w32_resnet18-w16_1xb32_scene15.py'

model = dict(
    distiller=dict(guided=False, loss=dict(transform='real_dft')),
)
