# MIT Indoor 67.
_base_ = './scenes_bs128.py'

data_preprocessor = dict(num_classes=67)

train_dataloader = dict(
    dataset=dict(type='MITIndoor67', data_root='data/MITIndoor67', split='train')
)
val_dataloader = dict(
    dataset=dict(type='MITIndoor67', data_root='data/MITIndoor67', split='val')
)
test_dataloader = val_dataloader
