# What all pairs on Cityscapes share, with crops of 512x512.
_base_ = [
    '../stages/resnet.py',
    '../datasets/cityscapes_512x512_bs4.py',
    '../schedules/cityscapes_40k.py',
]

pair = dict(input_shape=(3, 512, 512))
warmup = dict(type='DistillWarmupHook', length=1000, by_epoch=False)

recipes = 'famkd::vanilla/cityscapes/{}_4xb4-40k_cityscapes-512x512.py'
students = dict(
    deeplabv3_r18=dict(cfg_path=recipes.format('deeplabv3_r18')),
    pspnet_r18=dict(cfg_path=recipes.format('pspnet_r18')),
)
