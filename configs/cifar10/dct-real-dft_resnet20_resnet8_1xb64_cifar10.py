# The real part of the Fourier transform, as released, in place of the DCT.
_base_ = './dct_resnet20_resnet8_1xb64_cifar10.py'

model = dict(distiller=dict(loss=dict(transform='real_dft')))
