"""Names of weights in mdistiller and torchvision."""

import json
from pathlib import Path

import pytest
import torch

from famkd.apis.mdistiller import ARCHS, build_arch, convert, our_shapes

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / 'tests/data/cifar_checkpoints.json').read_text())


def theirs(name, **changes):
    """A state dict of zeros under mdistiller's keys, with some shapes changed."""
    return {
        key: torch.zeros(shape)
        for key, shape in (GOLDEN[name]['keys'] | changes).items()
    }


def test_every_golden_network_is_known():
    assert set(GOLDEN) <= set(ARCHS)


@pytest.mark.parametrize('name', GOLDEN)
def test_round_trip(name):
    shapes = our_shapes(name)
    ours = {key: torch.zeros(shape) for key, shape in shapes.items()}
    back = convert(ours, name, reverse=True)
    assert {key: list(x.shape) for key, x in back.items()} == GOLDEN[name]['keys']
    again = convert(back, name)
    assert list(again) == list(ours)
    assert all(again[key] is ours[key] for key in ours)


@pytest.mark.parametrize('depth', [18, 50])
def test_torchvision_gives_the_same_logits(depth):
    torchvision = pytest.importorskip('torchvision')
    torch.manual_seed(0)
    network = getattr(torchvision.models, f'resnet{depth}')().eval()
    weights = network.state_dict()
    arch = f'torchvision/resnet{depth}'
    ours = build_arch(arch).eval()
    ours.load_state_dict(convert(weights, arch))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), network(x))
    assert list(convert(ours.state_dict(), arch, reverse=True)) == list(weights)


def test_unknown_arch_lists_the_near_names():
    with pytest.raises(ValueError, match='--arch mobilenetV2 .*use .*MobileNetV2'):
        convert({}, 'mobilenetV2')
    with pytest.raises(ValueError, match='--arch x is not known; use resnet20 or'):
        convert({}, 'x')


def test_weights_of_another_network():
    weights = theirs('resnet20', **{'fc.weight': [10, 64], 'fc.bias': [10]})
    weights['extra'] = weights.pop('bn1.bias')
    with pytest.raises(ValueError) as error:
        convert(weights, 'resnet20')
    assert str(error.value) == (
        'the weights are not those of resnet20; missing: bn1.bias; '
        'not part of it: extra; '
        'other shapes: fc.weight is (10, 64), not (100, 64), fc.bias is (10,), not '
        '(100,)'
    )
    with pytest.raises(ValueError, match='not part of it: .* and 213 more'):
        convert(theirs('resnet56'), 'resnet20')
