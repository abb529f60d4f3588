# ReviewKD with frequency attention in place of the 3x3 convolution (Table A.1).
_base_ = './reviewkd.py'

model = dict(distiller=dict(head=dict(type='FAMHead', with_relu=False)))
