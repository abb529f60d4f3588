_base_ = ['../cityscapes-512x512.py', '../../teachers/deeplabv3_r101.py']

pair = dict(
    **_base_.teacher,
    architecture=dict(
        cfg_path='famkd::vanilla/cityscapes/deeplabv3_r18_4xb4-40k_cityscapes-512x512.py'
    ),
)
