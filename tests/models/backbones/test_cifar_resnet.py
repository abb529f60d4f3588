import pytest
import torch
from golden_network import golden_error
from mmpretrain.registry import MODELS


@pytest.mark.parametrize(
    'name', ['resnet20', 'resnet32', 'resnet56', 'resnet110', 'resnet8x4', 'resnet32x4']
)
def test_matches_golden(name):
    assert golden_error(name) < 1e-4


def test_any_depth_of_6n_plus_2_gives_the_asked_stages():
    backbone = MODELS.build(
        dict(type='CIFARResNet', depth=14, base_channels=8, out_indices=(0, 2))
    )
    shapes = [feature.shape for feature in backbone(torch.zeros(2, 3, 32, 32))]
    assert shapes == [(2, 8, 32, 32), (2, 32, 8, 8)]


@pytest.mark.parametrize('depth', [2, 21, '20'])
def test_unknown_depth(depth):
    with pytest.raises(ValueError, match=rf'depth={depth!r} is not 6n\+2; use one of'):
        MODELS.build(dict(type='CIFARResNet', depth=depth))
