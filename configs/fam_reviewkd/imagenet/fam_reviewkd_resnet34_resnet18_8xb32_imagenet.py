# ReviewKD with frequency attention in place of the 3x3 convolution (Table A.1).
_base_ = '../../reviewkd/imagenet/reviewkd_resnet34_resnet18_8xb32_imagenet.py'

model = dict(distiller=dict(head=dict(type='FAMHead', with_relu=False)))
