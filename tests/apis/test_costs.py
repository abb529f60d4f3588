import pytest
import torch
from torch import nn

from famkd.apis.costs import measure_costs, peak_memory


class Network(nn.Module):
    """A network with the interface of OpenMMLab's."""

    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)

    def forward(self, images, data_samples=None, mode='tensor'):
        assert mode == 'tensor'
        assert [x.img_shape for x in data_samples] == [(5, 7)] * len(images)
        return self.conv(images).relu()


def test_costs_are_those_of_the_layers():
    costs = measure_costs({'a': Network(4), 'b': Network(8)}, (3, 5, 7), 2, repeats=3)
    assert costs['a'].parameters == 4 * (27 + 1)
    assert costs['a'].multiply_adds == 4 * 27 * 5 * 7
    assert costs['b'].multiply_adds == 2 * costs['a'].multiply_adds
    assert len(costs['b'].times) == 3
    assert min(costs['b'].times) * 1000 <= costs['b'].milliseconds


def test_memory_is_what_lives_at_one_time():
    class Steps(nn.Module):
        def forward(self, x):
            y = x.repeat(8)  # with x: 9 units
            y = y[:2].clone()  # then x, y (8, until replaced) and 2
            return y + 1  # the large one is gone

    unit = 4 * 1000
    x = torch.zeros(1000)
    assert peak_memory(Steps(), x) == pytest.approx(9 * unit, abs=100)
    assert peak_memory(nn.Identity(), x) == unit
