_base_ = ['../cityscapes-512x512.py', '../../teachers/pspnet_r101.py']

pair = dict(**_base_.teacher, architecture=_base_.students.deeplabv3_r18)
