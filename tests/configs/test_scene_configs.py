"""The recipes for scenes, on generated data in the layouts of docs/scenes.md."""

import math
from pathlib import Path

import cv2
import mmengine
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmengine.utils import get_installed_path
from mmpretrain.datasets.categories import SUN397_CATEGORIES
from mmpretrain.registry import METRICS
from mmpretrain.structures import DataSample
from sklearn.metrics import recall_score

CONFIGS = Path(__file__).parents[2] / 'configs'
DATASETS = 'mit67', 'sun397', 'ade20k'
PAIRS = 'resnet50_resnet18', 'resnet152_resnet34', 'resnet50_mobilenet-v2'
METHODS = 'at', 'dct', 'dct_kd', 'kd', 'pkt'


def write(root, lists, images):
    """Writes list files, and images of some sizes.

    Args:
        root: The folder of the data set.
        lists: Name of a list file -> its lines.
        images: Paths of the images.
    """
    for name, lines in lists.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text('\n'.join(lines) + '\n')
    random = np.random.default_rng(0)
    for i, path in enumerate(images):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (70 + i, 80 - i, 3), dtype=np.uint8)
        cv2.imwrite(str(root / path), pixels)


def write_mit67(root):
    lines = {
        split: [f'{split}/{room}/an image {i}.jpg' for i in (0, 1) for room in 'ab']
        for split in ('train', 'val')
    }
    lists = {f'{split}.txt': lines[split] for split in lines}
    write(root, lists, lines['train'] + lines['val'])


def write_ade20k(root):
    names = {
        split: [f'ADE_{short}_0000000{i}' for i in range(4)]
        for split, short in (('training', 'train'), ('validation', 'val'))
    }
    lists = {
        f'sceneCategories_{split}.txt': [
            f'{name} scene_{name[-1]}' for name in names[split]
        ]
        for split in names
    }
    images = [f'images/{split}/{name}.jpg' for split in names for name in names[split]]
    write(root, lists, images)


def write_sun397(root):
    assert {'abbey', 'alley'} <= set(SUN397_CATEGORIES)
    lines = {
        split: [
            f'/a/{scene}/{split}{i}.jpg' for i in (0, 1) for scene in ('abbey', 'alley')
        ]
        for split in ('Training', 'Testing')
    }
    lists = {f'Partitions/{split}_01.txt': lines[split] for split in lines}
    write(root, lists, [f'SUN397{line}' for split in lines for line in lines[split]])


WRITERS = dict(mit67=write_mit67, sun397=write_sun397, ade20k=write_ade20k)


def name(method, pair, dataset):
    prefix = method.replace('_', '-')
    return f'{method}/{dataset}/{prefix}_{pair}_1xb128_{dataset}.py'


@pytest.mark.parametrize(
    ('method', 'pair', 'dataset'),
    [
        ('dct', 'resnet50_resnet18', 'mit67'),
        ('dct_kd', 'resnet50_mobilenet-v2', 'sun397'),
        ('at', 'resnet152_resnet34', 'ade20k'),
    ],
)
def test_recipe_trains_on_data_in_its_layout(method, pair, dataset, load, tmp_path):
    config = load(name(method, pair, dataset))
    WRITERS[dataset](tmp_path)
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.dataset.data_root = str(tmp_path)
        loader.update(batch_size=2, num_workers=0)
        for step in loader.dataset.pipeline:
            for key in {'scale', 'crop_size'} & set(step):
                step[key] = {256: 72, 224: 64}[step[key]]
    config.val_dataloader.dataset.indices = 2
    config.model.update(
        teacher_ckpt=None, allow_random_teacher=True, input_shape=(3, 64, 64)
    )
    config.train_cfg.max_epochs = 1
    config.default_hooks.checkpoint = None
    config.visualizer.vis_backends = []
    config.log_level = 'ERROR'
    config.work_dir = str(tmp_path / 'out')
    runner = Runner.from_cfg(config)
    runner.train()
    log = runner.message_hub.log_scalars
    assert runner.iter == 2
    losses = {key: log[key].data[0] for key in log if 'loss' in key}
    assert 'train/distill.loss_stage4' in losses
    for key, values in losses.items():
        assert all(math.isfinite(value) for value in values), key
    for metric in ('accuracy/top1', 'accuracy/top5', 'single-label/recall'):
        assert f'val/{metric}' in log


@pytest.mark.parametrize('method', METHODS)
def test_recipes_of_other_data_differ_in_the_data_only(method, load):
    for pair in PAIRS:
        first, *others = (load(name(method, pair, dataset)) for dataset in DATASETS)
        for dataset, other in zip(DATASETS[1:], others, strict=True):
            model = repr(other.model.to_dict()).replace(dataset, 'mit67')
            assert model == repr(first.model.to_dict())
            for key in (
                'optim_wrapper',
                'param_scheduler',
                'train_cfg',
                'val_evaluator',
            ):
                assert other[key] == first[key]
            pipelines = (x.train_dataloader.dataset.pipeline for x in (other, first))
            assert next(pipelines) == next(pipelines)


@pytest.mark.parametrize(
    ('dataset', 'classes'), [('mit67', 67), ('sun397', 397), ('ade20k', 1055)]
)
def test_networks_have_the_classes_of_their_data(dataset, classes, load):
    recipes = list((CONFIGS / 'vanilla' / dataset).glob('*.py'))
    assert len(recipes) == 5
    for recipe in recipes:
        config = load(recipe)
        assert config.model.head.num_classes == classes
        assert config.data_preprocessor.num_classes == classes


@pytest.mark.parametrize('teacher', ['resnet50', 'resnet152'])
def test_teachers_start_from_the_published_weights(teacher, load):
    folder = Path(get_installed_path('mmpretrain'), '.mim/configs/resnet')
    models = mmengine.load(folder / 'metafile.yml')['Models']
    [weights] = [m['Weights'] for m in models if m['Name'] == f'{teacher}_8xb32_in1k']
    for dataset in DATASETS:
        config = load(f'vanilla/{dataset}/{teacher}_1xb128_{dataset}.py')
        assert config.load_from.rpartition('/')[2] == weights.rpartition('/')[2]
        assert config.optim_wrapper.optimizer.lr == 0.01


def test_totals_are_those_of_the_authors(load):
    def weights(method):
        model = load(name(method, PAIRS[0], 'mit67')).model
        distiller = model.distiller
        cross_entropy = model.architecture.get('head', {}).get('loss', {})
        logits = distiller.get('logit_loss') or distiller.get('distill_losses', {}).get(
            'loss_kl'
        )
        return (
            cross_entropy.get('loss_weight', 1.0),
            distiller.get('loss', {}).get('loss_weight'),
            logits and (logits.loss_weight, logits.tau),
        )

    assert {method: weights(method) for method in METHODS} == {
        'at': (1.0, 1000.0, None),
        'dct': (1.0, 1.0, None),
        'dct_kd': (0.1, 1.0, (1.0, 4)),
        'kd': (0.1, None, (0.8, 4)),
        'pkt': (1.0, 30000.0, None),
    }


def test_mean_class_accuracy_counts_absent_classes_as_zero(load):
    random = np.random.default_rng(0)
    scores = random.random((40, 7)).astype('float32')
    labels = random.choice([0, 1, 3, 6], 40)  # 2, 4 and 5 are absent
    metrics = load('vanilla/mit67/resnet18_1xb128_mit67.py').val_evaluator
    evaluator = Evaluator([METRICS.build(metric) for metric in metrics])
    samples = [
        DataSample().set_pred_score(torch.from_numpy(row)).set_gt_label(int(label))
        for row, label in zip(scores, labels, strict=True)
    ]
    evaluator.process([sample.to_dict() for sample in samples])
    metrics = evaluator.evaluate(len(samples))
    expected = recall_score(
        labels, scores.argmax(1), labels=range(7), average='macro', zero_division=0
    )
    assert metrics['single-label/recall'] == pytest.approx(100 * expected, abs=1e-4)
    assert metrics['accuracy/top1'] == pytest.approx(
        100 * (scores.argmax(1) == labels).mean(), abs=1e-4
    )
