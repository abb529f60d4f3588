"""A famkd that was never installed says so wherever its configs are asked for."""

import re

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from famkd import shipped
from famkd.apis.paths import config_file
from famkd.models.algorithms.networks import network_config

NAME = 'famkd::vanilla/cifar100/resnet20_1xb64_cifar100.py'


@pytest.fixture
def checkout(monkeypatch, tmp_path):
    """The root of a checkout in which nothing was installed."""
    monkeypatch.setattr(shipped, 'MIM', tmp_path / 'famkd/.mim')
    return tmp_path


@pytest.mark.parametrize(
    'read',
    [
        lambda: Config.fromstring(f'_base_ = {NAME!r}', '.py'),
        lambda: get_config(NAME),
        lambda: config_file(NAME),
        lambda: network_config(dict(cfg_path=NAME)),
    ],
    ids=['base', 'get_config', 'config_file', 'cfg_path'],
)
def test_error_says_what_to_run(checkout, read):
    command = re.escape(f'pip install --no-deps -e {checkout}')
    with pytest.raises(shipped.NotInstalledError, match=command):
        read()


def test_configs_of_other_packages_are_found(checkout):
    assert config_file('mmpretrain::resnet/resnet18_8xb32_in1k.py')
