import pytest
import torch
from golden_network import golden_error
from mmpretrain.registry import MODELS


def test_matches_golden():
    assert golden_error('ShuffleV2') < 1e-4


def test_depthwise_convolutions_start_small():
    backbone = MODELS.build(dict(type='CIFARShuffleNetV2', widen_factor=0.5))
    torch.manual_seed(0)
    backbone.init_weights()
    conv = backbone.layers[0][0].branch1[0].conv
    fan_out = conv.weight[:, 0].numel()
    assert conv.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.2)
