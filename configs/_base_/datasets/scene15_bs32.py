# Fifteen scene categories, grey, as folders: data/scene15/{train,test}/CLASS/*.jpg
data_preprocessor = dict(num_classes=15, mean=[116.0] * 3, std=[65.0] * 3, to_rgb=True)

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale=96, edge='short'),
    dict(type='RandomCrop', crop_size=80),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale=96, edge='short'),
    dict(type='CenterCrop', crop_size=80),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    dataset=dict(
        type='CustomDataset',
        data_root='data/scene15',
        data_prefix='train',
        with_label=True,
        pipeline=train_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(
        type='CustomDataset',
        data_root='data/scene15',
        data_prefix='test',
        with_label=True,
        pipeline=test_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
# Beside top-1 and top-5, the mean over all classes of their recall (MCA).
val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='SingleLabelMetric', items=('recall',), average='macro'),
]
test_dataloader = val_dataloader
test_evaluator = val_evaluator
