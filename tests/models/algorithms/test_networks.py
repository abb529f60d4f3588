"""Networks from configs."""

import pytest
from mmengine.config import Config

from famkd.models.algorithms.networks import build_network


@pytest.fixture
def config_file(tmp_path, classifier):
    """A config file, its names being of scope mmpretrain."""
    config = Config(
        dict(
            default_scope='mmpretrain',
            model={**classifier(8), 'type': 'ImageClassifier'},
            data_preprocessor=dict(num_classes=4, mean=[1.0, 2.0, 3.0], std=[1.0] * 3),
        )
    )
    config.dump(tmp_path / 'network.py')
    return str(tmp_path / 'network.py')


def test_network_of_a_config_file(config_file):
    network = build_network(dict(cfg_path=config_file))
    assert network.backbone.conv1.out_channels == 8
    assert network.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]


def test_changes_are_merged_into_the_file(config_file):
    config = dict(cfg_path=config_file, backbone=dict(stem_channels=6))
    network = build_network(config)
    assert network.backbone.conv1.out_channels == 6
    assert network.backbone.layer1[0].conv2.out_channels == 8
    assert config == dict(cfg_path=config_file, backbone=dict(stem_channels=6))


def test_network_of_a_package():
    network = build_network(
        dict(cfg_path='famkd::vanilla/cifar100/resnet20_1xb64_cifar100.py')
    )
    assert network.head.fc.out_features == 100
    other = build_network(dict(cfg_path='mmpretrain::resnet/resnet18_8xb32_in1k.py'))
    assert other.head.fc.out_features == 1000


def test_network_that_is_built_already(build, classifier):
    network = build(classifier(8))
    assert build_network(network) is network


def test_config_file_that_is_not_there():
    with pytest.raises(FileNotFoundError, match='no/such.py'):
        build_network(dict(cfg_path='no/such.py'))
    with pytest.raises(FileNotFoundError, match='no such config in famkd; '):
        build_network(dict(cfg_path='famkd::no/such.py'))
