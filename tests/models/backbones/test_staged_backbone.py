import pytest
import torch
from mmpretrain.registry import MODELS

import famkd.models.backbones  # noqa: F401


def test_returns_the_asked_stages():
    backbone = MODELS.build(dict(type='CIFARVGG', depth=8, out_indices=(0, 3)))
    shapes = [feature.shape for feature in backbone(torch.zeros(1, 3, 32, 32))]
    assert shapes == [(1, 128, 16, 16), (1, 512, 4, 4)]


def test_index_out_of_range():
    with pytest.raises(
        ValueError, match=r'CIFARVGG: out_indices=\(4,\) must lie between 0 and 3'
    ):
        MODELS.build(dict(type='CIFARVGG', depth=8, out_indices=(4,)))
