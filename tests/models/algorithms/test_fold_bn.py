"""BN folded into convolutions: which are, which are not, and that results stay."""

import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn

from famkd.models.algorithms import fold_bn as fold_module
from famkd.models.algorithms.fold_bn import FEATURES_DIFFER, fold_bn


class Net(nn.Module):
    """Layers by name, and a function that puts them together."""

    def __init__(self, compute, **layers):
        super().__init__()
        self.compute = compute
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.compute(self, x)


class HalvedConv(nn.Conv2d):
    """A convolution that computes something else."""

    def forward(self, x):
        return super().forward(x).tanh()


def conv(**options):
    return nn.Conv2d(4, 4, 3, padding=1, **options)


def in_turn(net, x):
    return net.norm(net.conv(x))


SHARED = conv()
FLOAT = torch.empty(0)  # what a network without weights takes

# Name: the network, and how many of its BN are folded.
NETWORKS = {
    'in turn': (Net(in_turn, conv=conv(), norm=nn.BatchNorm2d(4)), 1),
    'defined the other way round': (
        Net(in_turn, norm=nn.BatchNorm2d(4), conv=conv(bias=False)),
        1,
    ),
    'strided, in groups': (
        Net(in_turn, conv=conv(groups=2, stride=2), norm=nn.BatchNorm2d(4)),
        1,
    ),
    'without an affine part': (
        Net(in_turn, conv=conv(), norm=nn.BatchNorm2d(4, affine=False)),
        1,
    ),
    'in two modules': (
        nn.Sequential(nn.Sequential(conv()), nn.Sequential(nn.BatchNorm2d(4))),
        1,
    ),
    'ConvModule': (ConvModule(4, 4, 3, norm_cfg=dict(type='BN')), 1),
    'ConvModule, BN first': (
        ConvModule(4, 4, 3, norm_cfg=dict(type='BN'), order=('norm', 'act', 'conv')),
        0,
    ),
    'BN first, then in turn': (
        nn.Sequential(nn.BatchNorm2d(4), conv(), nn.BatchNorm2d(4), nn.ReLU(), conv()),
        1,
    ),
    'something between': (nn.Sequential(conv(), nn.ReLU(), nn.BatchNorm2d(4)), 0),
    'two BN of one output': (
        Net(
            lambda net, x: sum(norm(y) for y in [net.conv(x)] for norm in net.norms),
            conv=conv(),
            norms=nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)]),
        ),
        0,
    ),
    'a BN of two outputs': (
        Net(
            lambda net, x: net.norm(net.conv(x)) + net.norm(net.other(x)),
            conv=conv(),
            other=conv(),
            norm=nn.BatchNorm2d(4),
        ),
        0,
    ),
    'a convolution twice': (
        Net(
            lambda net, x: net.conv(net.norm(net.conv(x))),
            conv=conv(),
            norm=nn.BatchNorm2d(4),
        ),
        0,
    ),
    'a convolution in two places': (
        nn.Sequential(
            nn.Sequential(SHARED, nn.BatchNorm2d(4)),
            nn.Sequential(SHARED, nn.BatchNorm2d(4)),
        ),
        0,
    ),
    'statistics of the batch': (
        Net(in_turn, conv=conv(), norm=nn.BatchNorm2d(4, track_running_stats=False)),
        0,
    ),
    'another kind of convolution': (
        Net(in_turn, conv=HalvedConv(4, 4, 3), norm=nn.BatchNorm2d(4)),
        0,
    ),
    'BN never reached': (
        Net(lambda net, x: net.conv(x), conv=conv(), norm=nn.BatchNorm2d(4)),
        0,
    ),
    'nothing to fold': (nn.Sequential(nn.ReLU()), 0),
}


def trained(network, dtype=torch.float32):
    """The network with statistics, scales and shifts as after a training."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for name, tensor in module.state_dict().items():
                if 'num' not in name:
                    tensor.uniform_(0.3, 3)
    return network.eval().requires_grad_(False).to(dtype)


def folded(network, *others):
    """How many are folded, and the output before and after, for one image of 5x7."""
    image = torch.randn(2, 4, 5, 7, dtype=next(network.parameters(), FLOAT).dtype)
    before = network(image)
    count = fold_bn(network, lambda: [network(image)])
    return count, before, network(image)


@pytest.mark.parametrize('name', NETWORKS)
def test_what_is_folded_and_that_the_output_stays(name):
    network, expected = NETWORKS[name]
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    count, before, after = folded(trained(network))
    assert count == expected
    torch.testing.assert_close(after, before)
    left = sum(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert left == norms - count
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ('dtype', 'tolerance'), [(torch.float64, 1e-12), (torch.bfloat16, 0.05)]
)
def test_other_precisions(dtype, tolerance):
    network = trained(nn.Sequential(conv(), nn.BatchNorm2d(4)), dtype)
    count, before, after = folded(network)
    assert count == 1
    assert after.dtype == dtype
    torch.testing.assert_close(after, before, rtol=tolerance, atol=tolerance)


def test_modules_with_hooks_stay():
    network = trained(nn.Sequential(conv(), nn.BatchNorm2d(4), conv(), nn.ReLU()))
    network[1].register_forward_pre_hook(lambda module, args: None)
    assert folded(network)[0] == 0


def test_folding_that_would_change_the_result_is_undone(monkeypatch):
    said = []
    monkeypatch.setattr(fold_module, 'print_log', lambda text, *_: said.append(text))

    def twice(net, x):
        y = net.conv(x)
        return y + net.norm(y)

    network = trained(Net(twice, conv=conv(), norm=nn.BatchNorm2d(4)))
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    count, before, after = folded(network)
    assert count == 0
    assert torch.equal(after, before)
    assert list(network.state_dict()) == list(weights)
    assert all(torch.equal(v, weights[k]) for k, v in network.state_dict().items())
    assert said == [FEATURES_DIFFER]
