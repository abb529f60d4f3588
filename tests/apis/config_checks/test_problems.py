"""Mistakes in a config are named before anything is built."""

import copy
from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict

import famkd.registry  # noqa: F401 (the scope of the recipes)
from famkd.apis.config_checks.problems import config_problems

CONFIGS = Path(__file__).parents[3] / 'configs'
NAN = float('nan')
# The new value, and what is said of it. `nan` and the like are no text here.
MISTAKES = [
    # classes
    ('optim_wrapper.optimizer.type', 'SGDD', 'no such class; did you mean SGD'),
    ('train_dataloader.collate_fn', dict(type='default_colate'), 'default_collate'),
    ('optim_wrapper.type', 'AmpOptimWraper', 'did you mean AmpOptimWrapper'),
    ('train_dataloader.dataset.type', 'Digit', 'did you mean Digits?'),
    ('train_dataloader.dataset.type', 'Xyz', 'name its module in custom_imports'),
    ('val_evaluator.type', 'Acuracy', 'did you mean Accuracy'),
    ('param_scheduler.type', 'CosineAnealingLR', 'did you mean CosineAnnealingLR'),
    ('default_hooks.logger.type', 'LogerHook', 'did you mean LoggerHook'),
    # options
    ('default_hooks.checkpoint.intervall', 2, 'did you mean interval?'),
    ('default_hooks.runtime', dict(max_skip=3), 'did you mean max_skips?'),
    ('custom_hooks', [dict(type='DistillWarmupHook', lengt=3)], 'mean length?'),
    ('optim_wrapper.optimizer.momentun', 0.9, 'did you mean momentum?'),
    ('optim_wrapper.clip_grad', dict(max_nom=1), 'did you mean max_norm?'),
    (
        'optim_wrapper.clip_grad',
        dict(type='value', max_norm=1),
        'choose from clip_value',
    ),
    ('train_cfg.max_epoch', 3, 'did you mean max_epochs?'),
    ('val_evaluator.topkk', 3, 'did you mean topk?'),
    ('train_dataloader.batchsize', 3, 'did you mean batch_size'),
    ('train_dataloader.sampler.shufle', True, 'did you mean shuffle?'),
    ('train_dataloader.dataset.pipeline', [dict(type='Resize', scal=3)], 'mean scale'),
    ('randomness.sed', 1, 'did you mean seed?'),
    ('env_cfg.dist_cfg.time_out', 9, 'did you mean timeout?'),
    ('env_cfg.cudnn_benchmrk', True, 'did you mean cudnn_benchmark?'),
    ('env_cfg.mp_cfg.threads', 9, 'choose from mp_start_method, opencv_num_threads'),
    ('log_processor.window', 9, 'did you mean window_size?'),
    ('optim_wrapper.paramwise_cfg', dict(norm_decay_mul=0), 'mean norm_decay_mult'),
    ('custom_hooks', [dict(type='EMAHook', priority='HIGHER')], 'one of HIGHEST, VE'),
    # kinds of values
    ('optim_wrapper.clip_grad', dict(max_norm=1, norm_type='two'), 'takes a number'),
    ('default_hooks.checkpoint.by_epoch', 'yes', 'takes True or False there'),
    ('default_hooks.checkpoint.interval', [1], 'takes a number there'),
    ('default_hooks.checkpoint.save_best', True, 'takes a string or a list of strings'),
    ('val_evaluator.topk', '5', 'a number or a list of numbers'),
    ('val_evaluator.prefix', ['a'], 'takes a string or None'),
    (
        'param_scheduler',
        dict(type='MultiStepLR', milestones=['a']),
        'takes a list of numbers',
    ),
    # names of hooks
    ('default_hooks.chekpoint', dict(interval=2), 'did you mean checkpoint'),
    ('default_hooks.chekpoint', None, 'did you mean checkpoint'),
    ('default_hooks.xyz', None, 'choose from runtime_info, '),
    ('default_hooks.xyz', dict(interval=2), "has no type, only ['interval']; add it"),
    ('log_processor.by_epoch', 'yes', 'LogProcessor takes True or False there'),
    ('resume', 'maybe', 'Runner takes True or False there'),
    ('load_from', 5, 'must be a path'),
    ('model.teacher_ckpt', 5, 'must be a path'),
    ('custom_hooks', ['EMAHook'], 'must be a dict of options'),
    # numbers
    ('optim_wrapper.optimizer.lr', 'abc', 'must be a number of at least 0'),
    ('optim_wrapper.optimizer.lr', NAN, 'must be a number of at least 0'),
    ('optim_wrapper.optimizer.lr', -0.1, 'must be a number of at least 0'),
    ('optim_wrapper.optimizer.momentum', 'abc', 'SGD takes a number there'),
    ('optim_wrapper.accumulative_counts', 0, 'must be a whole number of at least 1'),
    ('optim_wrapper.clip_grad.max_norm', 0, 'must be a number above 0'),
    ('optim_wrapper.clip_grad.max_norm', float('inf'), 'must be a number above 0'),
    ('auto_scale_lr', dict(base_batch_size='abc'), 'whole number of at least 1'),
    ('randomness.seed', 'abc', 'must be a whole number of at least 0'),
    ('randomness.seed', 1.5, 'must be a whole number of at least 0'),
    ('custom_hooks', [dict(type='DistillWarmupHook', length='abc')], 'takes a number'),
    ('train_dataloader.batch_size', 0, 'must be a whole number of at least 1'),
    ('train_dataloader.num_workers', -1, 'must be a whole number of at least 0'),
    ('train_cfg.max_epochs', 0, 'must be a whole number of at least 1'),
    ('param_scheduler', dict(type='StepLR', step_size=0), 'whole number of at least 1'),
    ('param_scheduler', dict(type='LinearLR', start_factor=0), 'a number above 0'),
    ('val_evaluator.topk', [1, 0], 'must be a whole number of at least 1'),
    ('optim_wrapper.paramwise_cfg', dict(norm_decay_mult='a'), 'at least 0'),
    ('param_scheduler', dict(type='CosineAnnealingLR', eta_min=NAN), 'is no number'),
    # intervals
    ('train_cfg.dynamic_intervals', [(1, 0)], 'must be a whole number of at least 1'),
    ('train_cfg.val_interval', 0, 'must be a whole number of at least 1'),
    ('train_cfg.val_interval', 1.5, 'must be a whole number of at least 1'),
    ('default_hooks.checkpoint.interval', 0, 'at least 1, or -1 for never'),
    ('default_hooks.logger.interval', 'abc', 'LoggerHook takes a number there'),
    ('custom_hooks', [dict(type='GammaLogHook', interval=0)], 'at least 1, or -1'),
    # metrics
    ('default_hooks.checkpoint.save_best', 'accuracy/top7', 'mean accuracy/top1?'),
    ('default_hooks.checkpoint.save_best', ['acuracy/top1'], 'mean accuracy/top1?'),
    ('custom_hooks', [dict(type='EarlyStoppingHook', monitor='acc')], 'accuracy/top1'),
    (
        'param_scheduler',
        dict(type='ReduceOnPlateauLR', monitor='lost'),
        'choose from accuracy/top1',
    ),
    # the model
    ('model.type', 'mmrazor.FeatureDistil', 'did you mean FeatureDistill'),
    ('model.distiller.type', 'ReviewDistiler', 'did you mean ReviewDistiller'),
    ('model.distiller.loss.type', 'StageMSELos', 'did you mean StageMSELoss'),
    ('model.distiller.loss.type', 'mmrazor.StageMSELos', 'did you mean StageMSELoss'),
    ('model.teacher.backbone.type', 'CIFARResnett', 'did you mean CIFARResNet'),
    ('model.teacher.init_cfg', dict(type='Kaimin'), 'did you mean Kaiming'),
    (
        'model.distiller.student_recorders',
        dict(logits=dict(type='ModuleOutput', source='head.fc')),
        'did you mean ModuleOutputs',
    ),
    (
        'model.teacher',
        dict(type='ImageClassifier', backbone=dict(type='ResNet', dpeth=18)),
        'ResNet has no such option; did you mean depth?',
    ),
    ('model.teacher', dict(type='ImageClassifier', hed={}), 'did you mean head'),
    ('model.distiller.loss.loss_wieght', 2, 'did you mean loss_weight'),
    # what is no dict, or no level
    ('log_level', 'WARN1NG', 'did you mean WARNING'),
    ('optim_wrapper.optimizer', 'SGD', 'must be a dict of options'),
    ('param_scheduler', 'CosineAnnealingLR', 'or a list of them'),
    ('env_cfg', 3, 'must be a dict of options'),
    ('default_hooks', 3, 'must be a dict of options'),
    ('model', 'ResNet', 'must be a dict of options'),
    ('model.teacher', None, 'must be a dict of options'),
    ('model.teacher_options', 'compile', 'must be a dict of options'),
    (
        'optim_wrapper.paramwise_cfg',
        dict(custom_keys=dict(head=5)),
        'must be a dict, such as',
    ),
    ('test_dataloader', {}, 'has no dataset and no sampler, only []; add it'),
]


class Owner:
    """A network that takes an option out of the config of a part."""

    def __init__(self, backbone):
        self.cached = backbone.pop('norm_evall')


@pytest.fixture(scope='module')
def recipe():
    return Config.fromfile(CONFIGS / 'demo/famkd_resnet20_resnet8_digits.py')


def changed(recipe, key, value):
    """The recipe with another value at a dotted key."""
    config = Config(copy.deepcopy(recipe.to_dict()))
    *path, name = key.split('.')
    place = config
    for part in path:
        place = place.setdefault(part, ConfigDict())
    place[name] = value
    return config


@pytest.mark.parametrize(
    'key, value, message', MISTAKES, ids=[f'{m[0]}-{i}' for i, m in enumerate(MISTAKES)]
)
def test_a_mistake_is_named_once(key, value, message, recipe):
    (problem,) = config_problems(changed(recipe, key, value))
    assert problem.startswith(key.partition('=')[0]), problem
    assert message in problem


@pytest.mark.parametrize(
    'key, parts',
    [
        ('model', ['train', 'val']),
        ('model', ['test']),
        ('test_cfg', ['test']),
        ('test_dataloader', ['test']),
        ('test_evaluator', ['test']),
    ],
)
def test_what_is_missing(key, parts, recipe):
    config = Config(copy.deepcopy(recipe.to_dict()))
    config.pop(key)
    (problem,) = config_problems(config, parts)
    assert problem.startswith(f'{key} is missing')
    config[key] = None
    (problem,) = config_problems(config, parts)
    assert problem.startswith(key) and 'None' in problem


def test_only_what_is_run_counts(recipe):
    config = changed(recipe, 'test_evaluator.topkk', 3)
    assert not list(config_problems(config, ['train', 'val']))
    assert list(config_problems(config, ['test']))
    config = changed(recipe, 'optim_wrapper.optimizer.type', 'SGDD')
    assert not list(config_problems(config, ['test']))


@pytest.mark.parametrize(
    'key, value',
    [
        ('custom_hooks', [dict(type='EMAHook', momentum=0.1, interval=2)]),
        ('default_hooks.checkpoint.save_best', 'auto'),
        ('default_hooks.checkpoint', None),
        ('default_hooks.checkpoint.interval', -1),
        ('train_dataloader.persistent_workers', True),
        ('optim_wrapper.clip_grad', dict(type='value', clip_value=0.1)),
        ('param_scheduler', [dict(type='MultiStepLR', milestones=[1], gamma=0.1)]),
        # A metric of the user: only it knows its names.
        ('val_evaluator', [dict(type='Accuracy'), dict(type='MultiLabelMetric')]),
        # A list where a transform is annotated with a number.
        (
            'train_dataloader.dataset.pipeline',
            [dict(type='RandomErasing', erase_prob=0.2, fill_color=(1, 2, 3))],
        ),
        # Parts of other packages, functions, and what no name is like.
        ('model.teacher', dict(cfg_path='mmpretrain::resnet/resnet18_8xb32_in1k.py')),
        ('model.teacher.backbone.type', 'mmengine.model.BaseModel'),
        ('model.teacher.train_cfg', dict(augments=[dict(type='CutMix')])),
        ('model.teacher.test_cfg', dict(nms=dict(type='nms', iou_threshold=0.5))),
        ('model.teacher.backbone.type', 'Zyxwvu'),
        (
            'model.distiller.student_recorders',
            dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        ),
        # Options that an owner takes out, here the test's and mmcv's.
        (
            'model.teacher',
            dict(type=Owner, backbone=dict(type='ResNet', norm_evall=1)),
        ),
        ('model.teacher.neck', dict(type='BN', requires_grad=False)),
        # One of a class that takes any.
        ('model.teacher.neck', dict(type='CIFARResNet', norm_evall=True)),
        # Options that are the arguments of another function.
        ('val_evaluator', dict(type='Accuracy', thrs=[0.1, 0.5])),
    ],
)
def test_what_is_right_is_let_through(key, value, recipe):
    assert not list(config_problems(changed(recipe, key, value)))


def test_parts_of_other_packages_are_left_to_them(recipe):
    pipeline = [dict(type='Albumentations', transforms=[dict(type='Blur', p=0.5)])]
    key = 'train_dataloader.dataset.pipeline'
    assert not list(config_problems(changed(recipe, key, pipeline)))


@pytest.mark.parametrize(
    'recipe',
    ['cifar10/resnet8_1xb64_cifar10', 'demo/digits_few'],
)
def test_recipes_are_right(recipe):
    assert not list(config_problems(Config.fromfile(CONFIGS / f'{recipe}.py')))
