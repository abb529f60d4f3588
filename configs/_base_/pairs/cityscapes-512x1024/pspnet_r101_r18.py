_base_ = ['../cityscapes-512x1024.py', '../../teachers/pspnet_r101.py']

pair = dict(
    **_base_.teacher,
    architecture=dict(
        cfg_path='famkd::vanilla/cityscapes/pspnet_r18_8xb2-40k_cityscapes-512x1024.py'
    ),
)
