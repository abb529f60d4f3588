"""Configs of other packages, named by ``package::path``."""

from importlib.util import find_spec

import pytest
from mmengine.config import Config, utils

import famkd.registry  # noqa: F401


@pytest.fixture(autouse=True)
def no_model_index(monkeypatch):
    """MMEngine's search for a config's weights, which takes seconds, finds none."""

    def find(package_path, cfg_path):
        raise ValueError

    monkeypatch.setattr(utils, '_get_cfg_metainfo', find)


CONFIGS = {
    'mmpretrain': ('_base_/models/resnet18.py', 'ImageClassifier'),
    'mmdet': ('retinanet/retinanet_r18_fpn_1x_coco.py', 'RetinaNet'),
    'mmseg': ('fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py', 'EncoderDecoder'),
    'mmrazor': ('_base_/settings/cifar10_darts_subnet.py', None),
    'famkd': ('vanilla/cifar100/resnet20_1xb64_cifar100.py', 'ImageClassifier'),
}


@pytest.mark.parametrize('package', CONFIGS)
def test_base_of_each_package(tmp_path, package):
    if find_spec(package) is None:
        pytest.skip(f'{package} is not installed')
    path, model = CONFIGS[package]
    recipe = tmp_path / 'recipe.py'
    recipe.write_text(f"_base_ = '{package}::{path}'\nwork_dir = 'mine'\n")
    config = Config.fromfile(recipe)
    assert config.work_dir == 'mine'
    assert model is None or ('_scope_' in config.model) == (package != 'famkd')
    assert model is None or config.model.type == model


@pytest.mark.parametrize('package', ['mmdet', 'mmseg'])
def test_cfg_path_of_each_package(package):
    if find_spec(package) is None:
        pytest.skip(f'{package} is not installed')
    from famkd.models.algorithms.networks import read_config

    path, model = CONFIGS[package]
    assert read_config(f'{package}::{path}').model.type == model
