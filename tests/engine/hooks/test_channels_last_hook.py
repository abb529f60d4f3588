from types import SimpleNamespace
from unittest.mock import Mock

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


def test_a_convolution_that_breaks_the_memory_is_no_part_of_it():
    runner = SimpleNamespace(logger=Mock())
    runner.model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 8, 1, stride=2))
    ChannelsLastHook().before_train(runner)
    assert not is_channels_last(runner.model)
    assert 'fails with 1, a 1x1 ' in runner.logger.warning.call_args[0][0]
    runner.model[1] = nn.Conv2d(4, 8, 1)
    ChannelsLastHook().before_train(runner)
    assert is_channels_last(runner.model)


def test_training_is_the_same_but_for_rounding(make_runner):
    plain = make_runner()
    expected = losses(plain)
    runner = make_runner(ChannelsLastHook())
    assert losses(runner) == pytest.approx(expected, rel=1e-3)
    model = runner.model
    assert is_channels_last(model) and is_channels_last(model.teacher)
    assert not is_channels_last(plain.model)
