# Scene labels of ADE20K.
_base_ = './scenes_bs128.py'

data_preprocessor = dict(num_classes=1055)

train_dataloader = dict(
    dataset=dict(
        type='ADE20KScenes', data_root='data/ADEChallengeData2016', split='train'
    )
)
val_dataloader = dict(
    dataset=dict(
        type='ADE20KScenes', data_root='data/ADEChallengeData2016', split='val'
    )
)
test_dataloader = val_dataloader
