# The same with masks.
_base_ = 'mmdet::_base_/datasets/coco_instance.py'

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type='CheckedCocoDataset'),
)
val_dataloader = dict(dataset=dict(type='CheckedCocoDataset'))
test_dataloader = dict(dataset=dict(type='CheckedCocoDataset'))
