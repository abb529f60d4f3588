"""Recipes with a teacher that is a large backbone, each trained a step when tiny."""

from pathlib import Path

import mmengine
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.utils import get_installed_path

from famkd.models.algorithms.networks import network_config

CONFIGS = Path(__file__).parents[2] / 'configs'
RECIPES = sorted(path.name for path in (CONFIGS / 'foundation').glob('*.py'))
ARCH = dict(
    embed_dims=32,
    num_layers=12,
    num_heads=2,
    feedforward_channels=64,
    global_attn_indexes=[11],
)
# Height of the student's images, and options of the teacher that make it small.
SIZES = {'dinov2': 56, 'retinanet': 64, 'sam': 64}


def published(cfg_path):
    """Checkpoints of a config of mmpretrain."""
    path = cfg_path.removeprefix('mmpretrain::')
    folder = Path(get_installed_path('mmpretrain'), '.mim/configs', path).parent
    models = mmengine.load(folder / 'metafile.yml')['Models']
    return [m['Weights'] for m in models if Path(m['Config']).name == Path(path).name]


@pytest.mark.parametrize('recipe', RECIPES)
def test_recipe_trains(recipe, load, build):
    config = load(f'foundation/{recipe}')
    if 'retinanet' in recipe:
        pytest.importorskip('mmdet')
    model = config.model
    assert model.teacher_ckpt in published(model.teacher.cfg_path)
    name = next(name for name in ('retinanet', 'sam', 'dinov2') if name in recipe)
    size = SIZES[name]
    model.update(teacher_ckpt=None, allow_random_teacher=True)
    model.update(input_shape=(3, size, size))
    path, changes = model.teacher.pop('cfg_path'), model.teacher.to_dict()
    model.teacher = {**network_config(dict(cfg_path=path, **changes))}
    model.teacher.backbone.arch = ARCH
    if 'sam' in recipe:
        model.teacher_options.input_size = 2 * size
    labels = None
    if 'in1k' in recipe:
        from mmpretrain.structures import DataSample

        labels = [DataSample().set_gt_label(label) for label in (0, 1)]
    elif 'retinanet' in recipe:  # the features alone: no boxes are at hand
        model.calculate_student_loss = False
    model.setdefault('data_preprocessor', config.get('data_preprocessor'))
    with DefaultScope.overwrite_default_scope(config.default_scope):
        network = build(model.to_dict()).train()
    images = torch.randn(2, 3, size, size)
    total, log = network.parse_losses(network(images, labels, mode='loss'))
    total.backward()
    assert all(value.isfinite() for value in log.values())
    assert any(name.startswith('student') for name in log) == bool(labels)
    stages = [name for name in log if name.startswith('distill.loss_stage')]
    assert len(stages) == len(network.distiller.student_stages)
    count = [
        sum(p.numel() for p in part.parameters())
        for part in (network.distiller, network.student)
    ]
    assert count[0] < 2 * count[1]


def test_without_labels_there_is_nothing_to_validate(load):
    for recipe in RECIPES:
        config = load(f'foundation/{recipe}')
        assert ('label-free' in recipe) == ('val_dataloader' not in config), recipe
        if 'label-free' in recipe:
            assert config.model.architecture.head is None
            assert config.train_dataloader.dataset.with_label is False


def test_probe_reads_what_the_training_without_labels_leaves(load):
    name = 'label-free_resnet20_resnet8_1xb64_cifar10'
    training = load(f'cifar10/{name}.py')
    probe = load('cifar10/linear-probe_resnet8_1xb64_cifar10.py')
    epochs = training.train_cfg.max_epochs
    start = probe.model.backbone.init_cfg
    assert start.checkpoint == f'work_dirs/{name}/epoch_{epochs}.pth'
    assert start.prefix == 'architecture.backbone.'
