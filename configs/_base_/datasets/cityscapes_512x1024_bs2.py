# Crops of 512x1024 in training.
_base_ = './cityscapes_512x512_bs4.py'

train_pipeline = _base_.train_pipeline
train_pipeline[3].crop_size = (512, 1024)
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
