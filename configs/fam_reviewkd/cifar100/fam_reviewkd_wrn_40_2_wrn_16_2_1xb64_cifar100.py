# ReviewKD with frequency attention in place of the 3x3 convolution (Table A.1).
_base_ = '../../reviewkd/cifar100/reviewkd_wrn_40_2_wrn_16_2_1xb64_cifar100.py'

model = dict(distiller=dict(head=dict(type='FAMHead', with_relu=False)))
