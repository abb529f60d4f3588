# What all pairs on Cityscapes share, with crops of 512x1024.
_base_ = [
    '../stages/resnet.py',
    '../datasets/cityscapes_512x1024_bs2.py',
    '../schedules/cityscapes_40k.py',
]

pair = dict(input_shape=(3, 512, 1024))
warmup = dict(type='DistillWarmupHook', length=1000, by_epoch=False)

recipes = 'famkd::vanilla/cityscapes/{}_8xb2-40k_cityscapes-512x1024.py'
students = dict(
    deeplabv3_r18=dict(cfg_path=recipes.format('deeplabv3_r18')),
    pspnet_r18=dict(cfg_path=recipes.format('pspnet_r18')),
)
