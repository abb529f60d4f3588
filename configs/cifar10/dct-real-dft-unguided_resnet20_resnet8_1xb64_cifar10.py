# As released, but all samples count.
_base_ = './dct_resnet20_resnet8_1xb64_cifar10.py'

model = dict(
    distiller=dict(guided=False, loss=dict(transform='real_dft')),
)
