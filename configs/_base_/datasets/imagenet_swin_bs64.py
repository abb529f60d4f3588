# mmpretrain's for Swin and DeiT, but a file that cannot be read is named. MMEngine
# gives the preprocessor below to the distillation, so that mixup and CutMix have to be
# in it.
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs64_swin_224.py'

data_preprocessor = dict(
    batch_augments=dict(
        augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)]
    )
)

load = dict(type='CheckedLoadImageFromFile')
train_pipeline = [load, *_base_.train_pipeline[1:]]
test_pipeline = [load, *_base_.test_pipeline[1:]]
del load
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
