_base_ = ['../cityscapes-512x512.py', '../../teachers/segformer_mit-b3.py']

pair = dict(**_base_.teacher, architecture=_base_.students.pspnet_r18)
# Both backbones give four maps; the transformer's last two are 1/16 and 1/32 of the
# image, and the student's, of 1/8, are resized to them.
maps = dict(
    stages=[dict(source='backbone', data_idx=i) for i in range(4)],
)
