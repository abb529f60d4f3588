import pytest
import torch

from famkd.models.algorithms.acceleration import accelerate


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU()
    )
    layers[1].running_mean.uniform_(-1, 1)
    layers[1].running_var.uniform_(0.5, 2)
    return layers.eval()


@pytest.mark.parametrize('option', ['channels_last', 'fuse_bn'])
def test_results_stay(network, option):
    x = torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        expected = network(x)
        accelerate(network, **{option: True})
        torch.testing.assert_close(network(x), expected)


def test_what_changes(network):
    x = torch.randn(2, 3, 9, 9)
    accelerate(network, channels_last=True, fuse_bn=True)
    assert network(x).is_contiguous(memory_format=torch.channels_last)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
