import pytest
import torch
from mmrazor.registry import MODELS
from torch.nn.functional import batch_norm, conv2d

from famkd.layers import FrequencyAttention


def build(type, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type=type, in_channels=4, out_channels=6, **kwargs))


@pytest.fixture
def feature():
    torch.manual_seed(1)
    return torch.randn(3, 4, 8, 6)


@pytest.mark.parametrize('name', ['FAMConnector', 'FAMHead'])
@pytest.mark.parametrize('with_relu', [True, False])
def test_fam(name, with_relu, feature):
    head = build(name, size=(8, 6), with_relu=with_relu)
    expected = batch_norm(head.fam(feature), None, None, training=True)
    if with_relu:
        expected = expected.relu()
    torch.testing.assert_close(head(feature), expected)


def test_fam_hands_its_options_on():
    options = dict(high_pass='gaussian', cutoff=0.3, local_branch=False)
    head = build('FAMHead', size=(8, 6), **options)
    layer = FrequencyAttention(4, 6, (8, 6), **options)
    assert head.fam.state_dict().keys() == layer.state_dict().keys()
    assert torch.equal(head.fam.mask, layer.mask)


@pytest.mark.parametrize('name', ['DynamicFAMConnector', 'DynamicFAMHead'])
def test_dynamic_fam_takes_every_size(name):
    head = build(name, size=(8, 6), with_relu=False, base_size=(8, 4), cutoff=0.3)
    assert head.fam.base_size == (8, 4)
    assert head.fam.cutoff == 0.3
    for size in [(8, 6), (17, 11)]:
        x = torch.randn(3, 4, *size)
        expected = batch_norm(head.fam(x), None, None, training=True)
        torch.testing.assert_close(head(x), expected)


@pytest.mark.parametrize('side', [1, 3])
def test_conv_head(side, feature):
    head = build('ConvHead', size=(8, 6), kernel_size=side)
    weight = head.conv.conv.weight
    assert weight.shape[2:] == (side, side)
    expected = batch_norm(
        conv2d(feature, weight, padding=side // 2), None, None, training=True
    )
    torch.testing.assert_close(head(feature), expected)


@pytest.mark.parametrize('name', ['ConvHead', 'ABFusion'])
def test_reviewkd_convolutions_start_kaiming_uniform(name):
    if name == 'ConvHead':
        weight = build(name).conv.conv.weight
    else:
        weight = MODELS.build(dict(type=name, in_channels=64)).lateral.conv.weight
    bound = (3 / weight[0].numel()) ** 0.5  # a = 1
    assert 0.95 * bound < weight.abs().max() <= bound
