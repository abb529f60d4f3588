import pytest
from golden_network import assert_matches_golden
from mmpretrain.registry import MODELS

STAGES = [f'backbone.layer{k}' for k in range(1, 5)]


@pytest.mark.parametrize('name', ['vgg8', 'vgg13'])
def test_matches_golden(name):
    assert_matches_golden(
        f'cifar100/{name}_1xb64_cifar100.py',
        name,
        STAGES,
        [f'{stage}.relu' for stage in STAGES],
    )


def test_unknown_depth():
    with pytest.raises(ValueError, match='depth=12 is not known; use one of 8, 11, 13'):
        MODELS.build(dict(type='CIFARVGG', depth=12))
