"""test.py loads checkpoints of the network in the config only."""

import argparse
from types import SimpleNamespace

import pytest
from torch import nn


def test_checkpoint_of_a_larger_network_is_refused(tool, capsys):
    small = nn.ModuleDict(dict(backbone=nn.Sequential(nn.Linear(2, 2))))
    large = nn.ModuleDict(
        dict(backbone=nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
    )
    hook = tool('test').StudentWeightsHook(argparse.ArgumentParser(), 'large.pth')
    runner = SimpleNamespace(model=small)
    hook.after_load_checkpoint(runner, dict(state_dict=small.state_dict()))
    with pytest.raises(SystemExit):
        hook.after_load_checkpoint(runner, dict(state_dict=large.state_dict()))
    error = capsys.readouterr().err.splitlines()[-1]
    assert 'large.pth is of a larger network than the one in the config: 2 of' in error
    assert 'backbone.1.weight' in error
