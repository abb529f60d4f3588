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

    A model with a 1x1 convolution of a stride and 2 to 7 channels, as only toys have,
    stays as it is, with a warning: laid out so, its backward pass in float32 breaks the
    memory of the process (PyTorch 2.11, on a CPU without AVX-512).
    """

    def before_train(self, runner: Runner) -> None:
        # Not earlier: random weights are drawn in the order in which they lie.
        model = unwrapped_model(runner)
        if name := breaking_convolution(model):
            runner.logger.warning(
                f'channels last: left out, since PyTorch fails with {name}, a 1x1 '
                'convolution with a stride and fewer than 8 channels'
            )
        else:
            lay_channels_last(model)


def breaking_convolution(model: nn.Module) -> str | None:
    """The name of a convolution that PyTorch cannot train so on a CPU, if any."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and module.weight.device.type == 'cpu':
            is_strided = module.kernel_size == (1, 1) and max(module.stride) > 1
            if is_strided and 1 < module.in_channels < 8:
                return name
    return None


def lay_channels_last(model: nn.Module) -> None:
    """Lays out the convolutions of a model, and of its teacher, in place."""
    networks = [model]
    if hasattr(model, 'guest'):
        networks.append(model.teacher)
    for network in networks:
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.to(memory_format=torch.channels_last)
