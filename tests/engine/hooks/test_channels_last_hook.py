import pytest
import torch
from torch import nn

from famkd.engine.hooks import ChannelsLastHook


def losses(runner):
    runner.train()
    log = runner.message_hub.log_scalars
    return [value for name in log if 'loss' in name for value in log[name].data[0]]


def is_channels_last(network):
    weights = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d)]
    # Of a 1x1 convolution, both layouts are one.
    return all(w.is_contiguous(memory_format=torch.channels_last) for w in weights)


def test_training_is_the_same_but_for_rounding(make_runner):
    plain = make_runner()
    expected = losses(plain)
    runner = make_runner(ChannelsLastHook())
    assert losses(runner) == pytest.approx(expected, rel=1e-3)
    model = runner.model
    assert is_channels_last(model) and is_channels_last(model.teacher)
    assert not is_channels_last(plain.model)
