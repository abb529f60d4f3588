# famkd_resnet20_resnet8_digits.py as a new-style config: classes in place of names.
from mmengine.dataset import DefaultSampler
from mmengine.hooks import CheckpointHook, LoggerHook
from mmengine.optim import CosineAnnealingLR, OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, TestLoop, ValLoop
from mmpretrain.datasets import PackInputs, RandomCrop, Resize
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import ClsDataPreprocessor
from torch.optim import SGD

from famkd.datasets import Digits
from famkd.engine import DistillWarmupHook, GammaLogHook
from famkd.models import (
    CrossAttentionFusion,
    FAMHead,
    FeatureDistill,
    ReviewDistiller,
    StageMSELoss,
)

default_scope = 'mmpretrain'

stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck']
model = dict(
    type=FeatureDistill,
    input_shape=(3, 32, 32),
    architecture=dict(cfg_path='famkd::demo/resnet8_digits.py'),
    teacher=dict(cfg_path='famkd::demo/resnet20_digits.py'),
    teacher_ckpt='work_dirs/resnet20_digits/epoch_8.pth',
    distiller=dict(
        type=ReviewDistiller,
        student_stages=stages,
        teacher_stages=stages,
        fusion=dict(type=CrossAttentionFusion),
        head=dict(type=FAMHead),
        loss=dict(type=StageMSELoss, loss_weight=5.0),
    ),
)
data_preprocessor = dict(
    type=ClsDataPreprocessor, num_classes=10, mean=[127.5] * 3, std=[127.5] * 3
)

train_dataloader = dict(
    batch_size=25,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type=Digits,
        split='train',
        num_per_class=5,
        pipeline=[
            dict(type=Resize, scale=32),
            dict(type=RandomCrop, crop_size=32, padding=4),
            dict(type=PackInputs),
        ],
    ),
    sampler=dict(type=DefaultSampler, shuffle=True),
)
val_dataloader = dict(
    batch_size=200,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type=Digits,
        split='test',
        pipeline=[dict(type=Resize, scale=32), dict(type=PackInputs)],
    ),
    sampler=dict(type=DefaultSampler, shuffle=False),
)
val_evaluator = dict(type=Accuracy, topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator

optim_wrapper = dict(
    type=OptimWrapper,
    optimizer=dict(type=SGD, lr=0.05, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = dict(
    type=CosineAnnealingLR, by_epoch=True, T_max=160, convert_to_iter_based=True
)
train_cfg = dict(type=EpochBasedTrainLoop, max_epochs=160, val_interval=10)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)

default_hooks = dict(
    logger=dict(type=LoggerHook, interval=10),
    checkpoint=dict(type=CheckpointHook, interval=-1),  # the last epoch only
)
custom_hooks = [
    dict(type=DistillWarmupHook, length=20),
    dict(type=GammaLogHook),
]
