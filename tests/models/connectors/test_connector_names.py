"""One name a class, importable; those of MMRazor's users and of older recipes, too."""

import pytest
from mmengine.registry import Registry
from mmrazor.models.architectures.connectors.base_connector import BaseConnector
from mmrazor.registry import MODELS

import famkd.models
from famkd.models import connectors

ALIASES = {
    'FAMConnector': 'FAMHead',
    'DynamicFAMConnector': 'DynamicFAMHead',
    'LocalAttentionConnector': 'LocalAttentionFusion',
}
BASES = {'ReviewFusion'}


@pytest.mark.parametrize('name', sorted(set(connectors.__all__) - BASES))
def test_every_name_is_importable_and_registered(name):
    cls = getattr(connectors, name)
    assert getattr(famkd.models, name) is cls is MODELS.get(name)
    assert issubclass(cls, BaseConnector)
    assert cls.__name__ == ALIASES.get(name, name)


def test_classes_as_type():
    head = dict(type=famkd.models.FAMHead, in_channels=2, out_channels=3, size=4)
    assert isinstance(MODELS.build(head), famkd.models.FAMConnector)


def test_names_with_a_path_as_a_dumped_config_has_them():
    assert isinstance(MODELS, Registry)
    assert MODELS.get('famkd.models.DynamicFAMHead') is famkd.models.DynamicFAMHead
