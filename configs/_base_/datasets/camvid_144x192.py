# CamVid, road scenes as image-mask folders: an example of masks of one's own.
# data/camvid/images/{train,val,test}/*.jpg, data/camvid/masks/{train,val,test}/*.png
data_root = 'data/camvid/'
# In the order of the values in the masks; 11 is void.
metainfo = dict(
    classes=(
        'sky',
        'building',
        'pole',
        'road',
        'pavement',
        'tree',
        'sign symbol',
        'fence',
        'car',
        'pedestrian',
        'bicyclist',
    ),
    palette=[
        [128, 128, 128],
        [128, 0, 0],
        [192, 192, 128],
        [128, 64, 128],
        [60, 40, 222],
        [128, 128, 0],
        [192, 128, 128],
        [64, 64, 128],
        [64, 0, 128],
        [64, 64, 0],
        [0, 128, 192],
    ],
)

# Images of 480x360 at two fifths of the size, for a CPU.
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckedLoadMask', void=11),
    dict(type='Resize', scale=(192, 144)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# The truth stays as it is: the prediction is enlarged to it.
val_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(192, 144)),
    dict(type='CheckedLoadMask', void=11),
    dict(type='PackSegInputs'),
]
# Of images alone: mmseg's inference.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(192, 144)),
    dict(type='PackSegInputs'),
]

dataset = dict(type='CheckedSegDataset', data_root=data_root, metainfo=metainfo)
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/train', seg_map_path='masks/train'),
        pipeline=train_pipeline,
    ),
)
loader = dict(
    batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False)
)
val_dataloader = dict(
    **loader,
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/val', seg_map_path='masks/val'),
        pipeline=val_pipeline,
    ),
)
test_dataloader = dict(
    **loader,
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/test', seg_map_path='masks/test'),
        pipeline=val_pipeline,
    ),
)
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
