"""A recipe of each task in the train tool of its package.

Such a tool knows of famkd what ``custom_imports`` of the recipe says. It replaces the
list that the recipe inherits, and may have famkd and MMRazor in any order, as long as
famkd comes first.
"""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

CONFIGS = Path(__file__).parents[2] / 'configs'

CLASSIFIER = f"""
_base_ = {str(CONFIGS / 'famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py')!r}
custom_imports = dict(imports=['famkd.datasets', 'mmrazor.models', 'famkd.models',
                               'famkd.engine'])
model = dict(teacher_ckpt=None, allow_random_teacher=True)
dataset = dict(
    _delete_=True,
    type='Digits',
    num_per_class=1,
    pipeline=[dict(type='Resize', scale=32), dict(type='PackInputs')],
)
loader = dict(num_workers=0, persistent_workers=False, dataset=dataset)
train_dataloader = dict(batch_size=5, **loader)
val_dataloader = dict(batch_size=10, **loader)
train_cfg = dict(max_epochs=1)
default_hooks = dict(logger=dict(interval=1))
"""
FASTER_RCNN = 'famkd_faster-rcnn_r18-w32_r18-w8_fpn_1xb8-600i_bccd-small.py'
DETECTOR = f"""
_base_ = {str(CONFIGS / 'bccd' / FASTER_RCNN)!r}
custom_imports = dict(imports=['famkd.engine', 'famkd.models'])
model = dict(
    architecture=dict(roi_head=dict(bbox_head=dict(num_classes=2))),
    teacher=dict(roi_head=dict(bbox_head=dict(num_classes=2))),
    teacher_ckpt=None,
    allow_random_teacher=True,
    input_shape=(3, 96, 96),
)
dataset = dict(
    data_root='SHAPES/', ann_file='shapes.json', metainfo=dict(classes=('box', 'disc'))
)
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=3,
    **loader,
    dataset=dict(
        **dataset,
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='Resize', scale=(96, 96)),
            dict(type='PackDetInputs'),
        ],
    ),
)
val_dataloader = val_evaluator = val_cfg = None
train_cfg = dict(max_iters=2)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(save_best=None))
"""
NETWORK = """
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', size=(32, 48), seg_pad_val=255),
    backbone=dict(type='ResNetV1c', depth=18, stem_channels={0}, base_channels={0}),
    decode_head=dict(
        type='PSPHead',
        in_channels=8 * {0},
        in_index=3,
        channels={0},
        num_classes=2,
        norm_cfg=dict(type='BN'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
"""
SEGMENTOR = """
default_scope = 'mmseg'
custom_imports = dict(imports=['famkd.models'])
stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'backbone.layer4']
model = dict(
    type='mmrazor.FeatureDistill',
    architecture=dict(cfg_path='student.py'),
    teacher=dict(cfg_path='teacher.py'),
    allow_random_teacher=True,
    input_shape=(3, 32, 48),
    distiller=dict(
        type='ReviewDistiller',
        student_stages=stages,
        teacher_stages=stages,
        fusion=dict(type='CrossAttentionFusion'),
        head=dict(type='DynamicFAMHead'),
        loss=dict(type='StageMSELoss'),
    ),
)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='BaseSegDataset',
        data_root='SHAPES',
        data_prefix=dict(img_path='images', seg_map_path='masks'),
        img_suffix='.png',
        metainfo=dict(classes=('ground', 'shape')),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    ),
)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2)
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(type='CheckpointHook', interval=2, by_epoch=False),
)
log_processor = dict(by_epoch=False)
"""


def train(package, recipe, folder, *command):
    """Train by the tool of a package; return the losses of each step."""
    spec = util.find_spec(package)
    if spec is None:
        pytest.skip(f'{package} is not installed')
    config = folder / 'recipe.py'
    config.write_text(recipe)
    tool = Path(spec.origin).parent / '.mim/tools/train.py'
    result = subprocess.run(
        [sys.executable, *command, tool, config, '--work-dir', folder / 'out'],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    [path] = folder.glob('out/*/vis_data/scalars.json')
    lines = map(json.loads, path.read_text().splitlines())
    steps = [line for line in lines if 'loss' in line]
    assert len(steps) == 2
    return steps


def check_classifier(steps, folder):
    for step in steps:
        assert step['distill_weight'] == pytest.approx(1 / 20)
        assert all(step[f'distill.loss_stage{stage}'] > 0 for stage in range(1, 5))
    state = torch.load(folder / 'out/epoch_1.pth', weights_only=False)['state_dict']
    assert 'architecture.backbone.conv1.weight' in state


def test_classifier_in_the_tool_of_mmpretrain(tmp_path):
    check_classifier(train('mmpretrain', CLASSIFIER, tmp_path), tmp_path)


def test_classifier_in_the_tool_of_mmrazor(tmp_path):
    # That tool imports MMRazor before it reads the recipe.
    steps = train('mmrazor', CLASSIFIER, tmp_path, '-m', 'famkd.compat')
    check_classifier(steps, tmp_path)


def test_detector_in_the_tool_of_mmdet(tmp_path, shapes_coco):
    recipe = DETECTOR.replace('SHAPES', str(shapes_coco))
    for step in train('mmdet', recipe, tmp_path):
        assert all(step[f'distill.loss_stage{stage}'] > 0 for stage in range(1, 6))
        assert step['student.loss_cls'] > 0


def test_segmentor_in_the_tool_of_mmseg(tmp_path):
    for network, channels in (('student', 4), ('teacher', 6)):
        (tmp_path / f'{network}.py').write_text(NETWORK.format(channels))
    for folder in ('images', 'masks'):
        (tmp_path / 'shapes' / folder).mkdir(parents=True)
    for i in range(4):
        mask = np.zeros((32, 48), np.uint8)
        mask[4 + i : 20, 8 : 30 + i] = 1
        image = np.stack([200 * mask] * 3, axis=-1)
        cv2.imwrite(str(tmp_path / f'shapes/masks/{i}.png'), mask)
        cv2.imwrite(str(tmp_path / f'shapes/images/{i}.png'), image)
    recipe = SEGMENTOR.replace('SHAPES', 'shapes')
    for step in train('mmseg', recipe, tmp_path):
        assert all(step[f'distill.loss_stage{stage}'] > 0 for stage in range(1, 5))
        assert step['student.decode.loss_ce'] > 0
