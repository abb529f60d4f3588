# Crops of 512x512 in training, whole images in validation. The masks are those of the
# 19 trained classes (*_gtFine_labelTrainIds.png).
_base_ = 'mmseg::_base_/datasets/cityscapes.py'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckedLoadMask'),
    dict(
        type='RandomResize',
        scale=(2048, 1024),
        ratio_range=(0.5, 2.0),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=(512, 512), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
# The truth stays as it is: the prediction is enlarged to it.
val_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(2048, 1024), keep_ratio=True),
    dict(type='CheckedLoadMask'),
    dict(type='PackSegInputs'),
]
# Of images alone: mmseg's inference.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(2048, 1024), keep_ratio=True),
    dict(type='PackSegInputs'),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    dataset=dict(type='CheckedCityscapesDataset', pipeline=train_pipeline),
)
val_dataloader = dict(
    dataset=dict(type='CheckedCityscapesDataset', pipeline=val_pipeline)
)
test_dataloader = dict(
    dataset=dict(type='CheckedCityscapesDataset', pipeline=val_pipeline)
)
