import pytest
from golden_network import golden_error
from mmpretrain.registry import MODELS


@pytest.mark.parametrize('name', ['wrn_16_2', 'wrn_40_1', 'wrn_40_2'])
def test_matches_golden(name):
    assert golden_error(name) < 1e-4


def test_unknown_depth():
    with pytest.raises(ValueError, match=r'depth=20 is not 6n\+4; use one of 10, 16'):
        MODELS.build(dict(type='CIFARWideResNet', depth=20, widen_factor=2))
