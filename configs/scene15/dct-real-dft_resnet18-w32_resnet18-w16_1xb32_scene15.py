# The real part of the Fourier transform, as released, in place of the DCT.
_base_ = './dct_resnet18-w32_resnet18-w16_1xb32_scene15.py'

model = dict(distiller=dict(loss=dict(transform='real_dft')))
