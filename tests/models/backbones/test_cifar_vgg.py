import pytest
from golden_network import golden_error
from mmpretrain.registry import MODELS


@pytest.mark.parametrize('name', ['vgg8', 'vgg13'])
def test_matches_golden(name):
    assert golden_error(name) < 1e-4


def test_unknown_depth():
    with pytest.raises(ValueError, match='depth=12 is not known; use one of 8, 11, 13'):
        MODELS.build(dict(type='CIFARVGG', depth=12))
