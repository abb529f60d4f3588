"""Convolutions with the channels innermost."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from famkd.runtime.unwrapped import unwrapped_model


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Lays out the convolutions' weights, and so all maps, with the channels innermost.

    The results are the same but for rounding; in bfloat16 on a CPU, and in half
    precision on a GPU, convolutions are faster so. A distillation's teacher is laid
    out so, too.
    """

    def before_train(self, runner: Runner) -> None:
        # Not earlier: random weights are drawn in the order in which they lie.
        lay_channels_last(unwrapped_model(runner))


def lay_channels_last(model: nn.Module) -> None:
    """Lays out the convolutions of a model, and of its teacher, in place."""
    networks = [model]
    if hasattr(model, 'guest'):
        networks.append(model.teacher)
    for network in networks:
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.to(memory_format=torch.channels_last)
