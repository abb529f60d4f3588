# SUN397, partition 1.
_base_ = './scenes_bs128.py'

data_preprocessor = dict(num_classes=397)

train_dataloader = dict(
    dataset=dict(type='CheckedSUN397', data_root='data/SUN397', split='train')
)
val_dataloader = dict(
    dataset=dict(type='CheckedSUN397', data_root='data/SUN397', split='test')
)
test_dataloader = val_dataloader
