"""CIFAR-100 as image files, and the short trainings."""

from hashlib import sha256
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from famkd.runtime.safe_load import load_checkpoint

ROOT = Path(__file__).parents[2]
RECIPE = 'famkd::cifar100_24e/famkd_resnet56_resnet20_1xb128-24e_cifar100.py'
LINE = (
    'train_dataloader = val_dataloader = test_dataloader = '
    "dict(dataset=dict(type='CIFAR100Folders'))"
)
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@pytest.fixture
def folder(tmp_path):
    """One image of each split."""
    for split in ('train', 'test'):
        path = tmp_path / split / 'worm/0.png'
        path.parent.mkdir(parents=True)
        Image.new('RGB', (32, 32)).save(path)
    return str(tmp_path)


def by_line(load):
    return Config.fromstring(f'_base_ = [{RECIPE!r}]\n{LINE}', '.py')


def by_options(load):
    config = load(RECIPE.removeprefix('famkd::'))
    options = {f'{loader}.dataset.type': 'CIFAR100Folders' for loader in LOADERS}
    config.merge_from_dict(options)
    return config


def by_base(load):
    return load('_base_/datasets/cifar100_folders_bs64.py')


@pytest.mark.parametrize('switch', [by_line, by_options, by_base])
def test_folders_take_the_place_of_the_archive(switch, load, folder):
    from mmpretrain.registry import DATASETS

    given, archive = switch(load), load(RECIPE.removeprefix('famkd::'))
    assert given.data_preprocessor == archive.data_preprocessor
    for loader in LOADERS:
        data, other = given[loader].dataset, archive[loader].dataset
        assert data.pipeline == other.pipeline
        data.data_root = folder
        [item] = DATASETS.build({**data, '_scope_': 'mmpretrain'})
        assert item['inputs'].shape == (3, 32, 32)
        assert item['data_samples'].gt_label == 99


def test_short_schedule_is_a_tenth_of_the_papers(load):
    short = load(RECIPE.removeprefix('famkd::'))
    long = load('famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py')
    assert 10 * short.train_cfg.max_epochs == long.train_cfg.max_epochs
    assert 10 * short.custom_hooks[0].length == long.custom_hooks[0].length
    assert short.param_scheduler[-1].end == short.train_cfg.max_epochs
    assert short.model.distiller == long.model.distiller


def test_shipped_teacher_is_the_one_of_its_recipe(load, monkeypatch):
    from mmrazor.registry import MODELS

    monkeypatch.chdir(ROOT)
    model = load(RECIPE.removeprefix('famkd::')).model
    model.teacher_options = dict(fuse_bn=False)  # to compare the weights
    file = Path(model.teacher_ckpt)
    assert sha256(file.read_bytes()).hexdigest().startswith(file.stem[-8:])
    shipped = load_checkpoint(file)['state_dict']
    teacher = MODELS.build(model).teacher.state_dict()
    assert teacher.keys() == shipped.keys()
    for name, value in shipped.items():
        assert torch.equal(teacher[name], value.to(teacher[name].dtype))
