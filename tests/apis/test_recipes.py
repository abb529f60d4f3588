"""Parts of a recipe that follow from the configs alone."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config

from famkd.apis.recipes.methods import method_form, published_name, scale_warmup
from famkd.apis.recipes.networks import image_size, teacher_checkpoint
from famkd.apis.recipes.stages import logits_module


@pytest.mark.parametrize(
    'method, package, form',
    [
        ('famkd', 'mmpretrain', 'famkd'),
        ('famkd', 'mmdet', 'famkd_fpn'),
        ('famkd', 'mmseg', 'famkd_maps'),
        ('famkd_maps', 'mmdet', 'famkd_maps'),
        ('kd', 'mmseg', 'kd_pixels'),
        ('freekd', 'mmdet', 'freekd'),
        ('reviewkd', 'mmseg', 'reviewkd'),
        ('famkd', None, 'famkd'),
    ],
)
def test_form_of_a_method_for_a_task(method, package, form):
    assert method_form(method, package) == form


@pytest.mark.parametrize('crops', [(512, 512), (512, 1024)])
def test_cityscapes_with_the_crops_of_the_student(crops):
    student = Config(dict(model=dict(data_preprocessor=dict(size=crops))))
    assert published_name('cityscapes', student).endswith('-{}x{}'.format(*crops))
    student.model.data_preprocessor.size = (96, 96)
    with pytest.raises(ValueError, match='choose one of .*cityscapes-512x1024, '):
        published_name('cityscapes', student)


def test_image_size_of_a_segmentor():
    sized = dict(data_preprocessor=dict(type='SegDataPreProcessor', size=(512, 1024)))
    assert image_size(Config(dict(model=sized))) == (512, 1024)
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='NoSuchStep'),
        dict(type='RandomCrop', crop_size=(768, 384)),
    ]
    cfg = dict(model={}, train_dataloader=dict(dataset=dict(pipeline=pipeline)))
    assert image_size(Config(cfg)) == (768, 384)


@pytest.mark.parametrize(
    'hook, train_cfg, expected',
    [
        (dict(length=20), dict(max_epochs=240), dict(length=20)),
        (dict(length=20), dict(max_epochs=30), dict(length=2)),
        (dict(length=20), dict(max_epochs=300), dict(length=20)),
        (dict(length=20), dict(max_iters=600), dict(length=50, by_epoch=False)),
        (
            dict(length=1000, by_epoch=False),
            dict(max_iters=90_000),
            dict(length=500, by_epoch=False),
        ),
        (
            dict(length=1000, by_epoch=False),
            dict(max_iters=100),
            dict(length=1, by_epoch=False),
        ),
    ],
)
def test_warmup_is_the_same_part_of_a_shorter_training(hook, train_cfg, expected):
    hooks = [dict(type='GammaLogHook'), dict(type='DistillWarmupHook', **hook)]
    scale_warmup(hooks, train_cfg)
    assert hooks[1] == dict(type='DistillWarmupHook', **expected)


def test_checkpoint_that_training_leaves():
    cfg = dict(
        model=dict(backbone={}, head=dict(type='Head')), train_cfg=dict(max_epochs=3)
    )
    assert teacher_checkpoint('a/b.py', Config(cfg)) == 'work_dirs/b/epoch_3.pth'
    cfg['train_cfg'] = dict(max_iters=9)
    assert teacher_checkpoint('a/b.py', Config(cfg)) == 'work_dirs/b/iter_9.pth'


@pytest.mark.parametrize(
    'cfg',
    [
        dict(model=dict(backbone={}, head=dict(type='Head'))),
        dict(model=dict(backbone={}, head=None), train_cfg=dict(max_epochs=3)),
    ],
)
def test_no_checkpoint_is_invented(cfg):
    with pytest.raises(ValueError, match="--teacher-ckpt: give it, since 'b.py'"):
        teacher_checkpoint('b.py', Config(cfg))


def test_class_scores_are_those_of_the_task():
    from torch import nn

    scores = 'decode_head.conv_seg'
    head = nn.ModuleDict(dict(layers=nn.Sequential(nn.ReLU(), nn.Linear(2, 3))))
    classifier = SimpleNamespace(head=head)
    segmentor, cascade = nn.Module(), nn.Module()
    segmentor.decode_head = nn.ModuleDict(dict(conv_seg=nn.Identity()))
    cascade.decode_head = nn.ModuleList([segmentor.decode_head])
    assert logits_module('student', classifier, 'head.fc') == 'head.layers.1'
    assert logits_module('student', segmentor, scores) == scores
    with pytest.raises(ValueError, match='--student: it is no segmentor .* choose kd$'):
        logits_module('student', classifier, scores)
    with pytest.raises(ValueError, match=f"--teacher: it has no layer '{scores}'"):
        logits_module('teacher', cascade, scores)
    with pytest.raises(ValueError, match='no linear .*; for segmentors choose kd_pix'):
        logits_module('teacher', segmentor, 'head.fc')
