import pytest
from golden_network import assert_matches_golden
from mmpretrain.registry import MODELS


@pytest.mark.parametrize('name', ['wrn_16_2', 'wrn_40_1', 'wrn_40_2'])
def test_matches_golden(name):
    assert_matches_golden(
        f'cifar100/{name}_1xb64_cifar100.py',
        name,
        ['backbone.layer1', 'backbone.layer2', 'backbone.layer3'],
        ['backbone.layer2.0.relu1', 'backbone.layer3.0.relu1', 'backbone.post.relu'],
    )


def test_unknown_depth():
    with pytest.raises(ValueError, match=r'depth=20 is not 6n\+4; use one of 10, 16'):
        MODELS.build(dict(type='CIFARWideResNet', depth=20, widen_factor=2))
