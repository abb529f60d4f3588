import pytest
import torch
from mmrazor.registry import MODELS
from torch.nn.functional import batch_norm, conv2d, interpolate


def build(type, **numbers):
    torch.manual_seed(0)
    return MODELS.build(dict(type=type, **numbers))


def conv_bn(x, module):
    """1x1 convolution and BN in training mode, from a ConvModule's parameters."""
    x = conv2d(x, module.conv.weight)
    return batch_norm(x, None, None, module.bn.weight, module.bn.bias, training=True)


@pytest.fixture
def feature():
    torch.manual_seed(1)
    return torch.randn(2, 6, 7, 5)


@pytest.fixture
def review():
    torch.manual_seed(2)
    return torch.randn(2, 8, 4, 3)


def test_cross_attention(feature, review):
    fusion = build(
        'CrossAttentionFusion', in_channels=6, review_channels=8, mid_channels=4
    )
    a = conv_bn(feature, fusion.lateral).relu()
    # The BN sees the small map: resized by 7/4 it would have other statistics.
    r = interpolate(conv_bn(review, fusion.residual).relu(), (7, 5), mode='nearest')
    torch.testing.assert_close(fusion(feature, review), fusion.attention(x=a, y=r))


def test_cross_attention_has_only_the_convolutions_it_needs(feature):
    fusion = build('CrossAttentionFusion', in_channels=6, review_channels=6)
    assert fusion.lateral is fusion.residual is None
    review = torch.randn(2, 6, 7, 5)
    torch.testing.assert_close(
        fusion(feature, review), fusion.attention(x=feature, y=review)
    )
    deepest = build('CrossAttentionFusion', in_channels=6)
    assert not list(deepest.parameters())
    assert deepest(feature) is feature


def test_cross_attention_of_odd_channels():
    with pytest.raises(ValueError, match='channels=5 is odd.* set mid_channels of the'):
        build('CrossAttentionFusion', in_channels=5, review_channels=8)
    # No attention at the deepest stage, so any number will do.
    build('CrossAttentionFusion', in_channels=5)


def test_abf(feature, review):
    fusion = build('ABFusion', in_channels=6, review_channels=8, mid_channels=8)
    a = conv_bn(feature, fusion.lateral)
    r = interpolate(review, (7, 5), mode='nearest')
    both = torch.cat((a, r), dim=1)
    z = torch.sigmoid(
        conv2d(both, fusion.attention.weight, fusion.attention.bias)
    ).split(1, dim=1)
    torch.testing.assert_close(fusion(feature, review), a * z[0] + r * z[1])
    deepest = build('ABFusion', in_channels=6, mid_channels=8)
    torch.testing.assert_close(deepest(feature), conv_bn(feature, deepest.lateral))


def test_abf_of_other_channels():
    with pytest.raises(
        ValueError, match='mid_channels=4 to a review of 8 channels; give every stage'
    ):
        build('ABFusion', in_channels=6, review_channels=8, mid_channels=4)


def test_local_attention_fusion(feature, review):
    fusion = build('LocalAttentionFusion', in_channels=6, review_channels=8)
    torch.testing.assert_close(fusion(feature), fusion.attention(feature))
    torch.testing.assert_close(fusion(feature, review), fusion(feature))
    with pytest.raises(ValueError, match='mid_channels=4 must equal in_channels=6'):
        build('LocalAttentionFusion', in_channels=6, mid_channels=4)
    with pytest.raises(ValueError, match='channels=5 is odd'):
        build('LocalAttentionFusion', in_channels=5)


def test_default_mid_channels():
    channels = [16, 32, 1024, 1024]
    assert MODELS.get('ABFusion').default_mid_channels(channels) == [512] * 4
    assert MODELS.get('ABFusion').default_mid_channels([16, 32, 64]) == [64] * 3
    for kind in ('CrossAttentionFusion', 'LocalAttentionFusion'):
        assert MODELS.get(kind).default_mid_channels(channels) == channels
