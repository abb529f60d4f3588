# A ResNet-18 learns the map of SAM's image encoder, from images without labels: the
# student sees them at 512x512, the teacher at 1024x1024. The review goes from the
# student's deep maps to its map of 64x64 places, and each meets the teacher's.
_base_ = [
    '../_base_/methods/famkd_fpn.py',
    '../_base_/teachers/sam-base.py',
    '../_base_/datasets/folder_bs64.py',
    '../_base_/schedules/folder_100e.py',
    '../_base_/runtime.py',
]

model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmpretrain::resnet/resnet18_8xb32_in1k.py', head=None),
    calculate_student_loss=False,
    input_shape=(3, 512, 512),
    distiller=dict(
        student_stages=['backbone.layer2', 'backbone.layer3', 'backbone.layer4'],
        teacher_stages=['backbone', 'backbone', 'backbone'],
    ),
)
custom_hooks = [dict(type='GammaLogHook')]
default_hooks = dict(checkpoint=dict(save_best=None))

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=512, crop_ratio_range=(0.5, 1.0)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
