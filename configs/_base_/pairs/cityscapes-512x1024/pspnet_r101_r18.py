_base_ = ['../cityscapes-512x1024.py', '../../teachers/pspnet_r101.py']

pair = dict(**_base_.teacher, architecture=_base_.students.pspnet_r18)
