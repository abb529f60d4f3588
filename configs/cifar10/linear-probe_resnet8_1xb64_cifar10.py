# A linear classifier on the frozen features of a student that has seen no labels.
_base_ = './resnet8_1xb64_cifar10.py'

model = dict(
    backbone=dict(
        frozen_stages=3,
        norm_eval=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/label-free_resnet20_resnet8_1xb64_cifar10/epoch_12.pth',
            prefix='architecture.backbone.',
        ),
    ),
)
optim_wrapper = dict(optimizer=dict(weight_decay=0.0))
train_cfg = dict(max_epochs=4)
param_scheduler = dict(milestones=[2, 3])
