"""BN folded into convolutions: which are, which are not, and that results stay."""

import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn
from torch.nn.functional import conv2d

from famkd.models.algorithms.fold_bn import fold_bn


class Net(nn.Module):
    """Layers by name, and a function that puts them together."""

    def __init__(self, compute, **layers):
        super().__init__()
        self.compute = compute
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.compute(self, x)


class TanhConv(nn.Conv2d):
    """A convolution that computes something else."""

    def forward(self, x):
        return super().forward(x).tanh()


def conv(**options):
    return nn.Conv2d(4, 4, 3, padding=1, **options)


def bn(**options):
    return nn.BatchNorm2d(4, **options)


def in_turn(net, x):
    return net.norm(net.conv(x))


def conv_module(**options):
    return ConvModule(4, 4, 3, norm_cfg=dict(type='BN'), **options)


def one_in_two_places():
    shared = conv()
    return nn.Sequential(nn.Sequential(shared, bn()), nn.Sequential(shared, bn()))


def one_under_two_names():
    norm = bn()
    return Net(in_turn, conv=conv(), norm=norm, alias=norm)


def one_weight_in_two():
    first, second = conv(), conv()
    second.weight = first.weight
    return nn.Sequential(first, bn(), second, bn())


def another_forward(name):
    net = Net(in_turn, conv=conv(), norm=bn())
    module = getattr(net, name)
    forward = module.forward
    module.forward = lambda x: forward(x).tanh()
    return net


def with_hook():
    net = Net(in_turn, conv=conv(), norm=bn())
    net.norm.register_forward_pre_hook(lambda module, args: None)
    return net


# Name: a function that makes the network, and how many of its BN are folded.
NETWORKS = {
    'in turn': (lambda: Net(in_turn, conv=conv(), norm=bn()), 1),
    'defined the other way round': (
        lambda: Net(in_turn, norm=bn(), conv=conv(bias=False)),
        1,
    ),
    'strided, in groups': (
        lambda: Net(in_turn, conv=conv(groups=2, stride=2), norm=bn()),
        1,
    ),
    'without an affine part': (
        lambda: Net(in_turn, conv=conv(), norm=bn(affine=False)),
        1,
    ),
    'in two modules': (
        lambda: nn.Sequential(nn.Sequential(conv()), nn.Sequential(bn())),
        1,
    ),
    'ConvModule': (conv_module, 1),
    'ConvModule, BN first': (
        lambda: conv_module(order=('norm', 'act', 'conv')),
        0,
    ),
    'BN first, then in turn': (
        lambda: nn.Sequential(bn(), conv(), bn(), nn.ReLU(), conv()),
        1,
    ),
    'something between': (lambda: nn.Sequential(conv(), nn.ReLU(), bn()), 0),
    'two BN of one output': (
        lambda: Net(
            lambda net, x: sum(norm(y) for y in [net.conv(x)] for norm in net.norms),
            conv=conv(),
            norms=nn.ModuleList([bn(), bn()]),
        ),
        0,
    ),
    'a BN of two outputs': (
        lambda: Net(
            lambda net, x: net.norm(net.conv(x)) + net.norm(net.other(x)),
            conv=conv(),
            other=conv(),
            norm=bn(),
        ),
        0,
    ),
    'a convolution twice': (
        lambda: Net(
            lambda net, x: net.conv(net.norm(net.conv(x))), conv=conv(), norm=bn()
        ),
        0,
    ),
    'a convolution in two places': (one_in_two_places, 0),
    'a BN under two names': (one_under_two_names, 0),
    'one weight in two convolutions': (one_weight_in_two, 0),
    'a weight that is used elsewhere': (
        lambda: Net(
            lambda net, x: in_turn(net, x) + conv2d(x, net.conv.weight, padding=1),
            conv=conv(),
            norm=bn(),
        ),
        0,
    ),
    'an output that is used elsewhere': (
        lambda: Net(
            lambda net, x: sum((y + 0.001 * net.norm(y)) for y in [net.conv(x)]),
            conv=conv(),
            norm=bn(),
        ),
        0,
    ),
    'an output that is given, too': (
        lambda: Net(
            lambda net, x: {'raw': (y := net.conv(x)), 'normed': net.norm(y)},
            conv=conv(),
            norm=bn(),
        ),
        0,
    ),
    'an output that is changed in place': (
        lambda: Net(
            lambda net, x: net.norm(net.conv(x).relu_()), conv=conv(), norm=bn()
        ),
        0,
    ),
    'statistics of the batch': (
        lambda: Net(in_turn, conv=conv(), norm=bn(track_running_stats=False)),
        0,
    ),
    'another kind of convolution': (
        lambda: Net(in_turn, conv=TanhConv(4, 4, 3), norm=bn()),
        0,
    ),
    'another forward of the convolution': (lambda: another_forward('conv'), 0),
    'another forward of the BN': (lambda: another_forward('norm'), 0),
    'a module with a hook': (with_hook, 0),
    'BN never reached': (
        lambda: Net(lambda net, x: net.conv(x), conv=conv(), norm=bn()),
        0,
    ),
    'nothing to fold': (lambda: nn.Sequential(nn.ReLU()), 0),
}


def trained(make, dtype=torch.float32):
    """A network with statistics, scales and shifts as after a training."""
    torch.manual_seed(0)
    network = make()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for name, tensor in module.state_dict().items():
                if 'num' not in name:
                    tensor.uniform_(0.3, 3)
    return network.eval().requires_grad_(False).to(dtype)


def folded(network, dtype=torch.float32):
    """How many are folded, and the output before and after, for images of 5x7."""
    images = torch.randn(2, 4, 5, 7).to(dtype)
    before = network(images)
    count = fold_bn(network, lambda: network(images))
    return count, before, network(images)


@pytest.mark.parametrize('name', NETWORKS)
def test_what_is_folded_and_that_the_output_stays(name):
    make, expected = NETWORKS[name]
    network = trained(make)
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    hooks = sum(len(m._forward_pre_hooks) for m in network.modules())
    count, before, after = folded(network)
    assert count == expected
    torch.testing.assert_close(after, before)
    modules = list(network.modules())
    assert sum(isinstance(m, nn.BatchNorm2d) for m in modules) == norms - count
    assert sum(len(m._forward_pre_hooks) for m in modules) == hooks
    assert not any(m._forward_hooks or m.training for m in modules)


def test_bn_in_training_mode_stays():
    network = trained(lambda: Net(in_turn, conv=conv(), norm=bn())).train()
    assert folded(network)[0] == 0


@pytest.mark.parametrize(
    ('dtype', 'tolerance'), [(torch.float64, 1e-12), (torch.bfloat16, 0.05)]
)
def test_other_precisions(dtype, tolerance):
    network = trained(lambda: nn.Sequential(conv(), bn()), dtype)
    count, before, after = folded(network, dtype)
    assert count == 1
    assert after.dtype == dtype
    torch.testing.assert_close(after, before, rtol=tolerance, atol=tolerance)
