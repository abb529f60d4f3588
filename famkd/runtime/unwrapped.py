"""The model of a training, whatever it is wrapped in."""

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn


def unwrapped_model(runner: Runner) -> nn.Module:
    """The model itself, without what several processes wrap it in."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
