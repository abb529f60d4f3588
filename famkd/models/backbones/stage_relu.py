"""ResNets whose stages end with a ReLU module of their own.

In mmpretrain's residual blocks one in-place ``relu`` module serves the whole block, so
the feature before a stage's last ReLU cannot be recorded. Here it can; parameters,
state-dict keys and results stay mmpretrain's.
"""

from mmpretrain.models.backbones.resnet import (
    BasicBlock,
    Bottleneck,
    ResLayer,
    ResNet,
)
from mmpretrain.models.backbones.resnet_cifar import ResNet_CIFAR
from mmpretrain.registry import MODELS
from torch import Tensor, nn


class _BasicBlock(BasicBlock):
    last_relu = True

    def forward(self, x: Tensor) -> Tensor:
        if self.last_relu:
            return super().forward(x)
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.norm1(self.conv1(x)))
        return self.drop_path(self.norm2(self.conv2(out))) + identity


class _Bottleneck(Bottleneck):
    last_relu = True

    def forward(self, x: Tensor) -> Tensor:
        if self.last_relu:
            return super().forward(x)
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.relu(self.norm2(self.conv2(out)))
        return self.drop_path(self.norm3(self.conv3(out))) + identity


class StageReLUMixin:
    """Moves the last ReLU of every stage of a ResNet into a module ``relu``.

    For stage ``k``, the feature after the last ReLU is the output of ``layer{k}``, the
    one before it is the input of ``layer{k}.relu``. No later operation works in place
    on either.
    """

    def make_res_layer(self, block: type[nn.Module], **kwargs) -> nn.Module:
        block = {BasicBlock: _BasicBlock, Bottleneck: _Bottleneck}[block]
        stage = ResLayer(block, **kwargs)
        stage[-1].last_relu = False
        stage.add_module('relu', nn.ReLU())
        # ResNet.__init__ asks the last module of the last stage for its width.
        stage.relu.out_channels = kwargs['out_channels']
        return stage


@MODELS.register_module()
class StageReLUResNet(StageReLUMixin, ResNet):
    """mmpretrain's ``ResNet`` (same arguments, same checkpoints) with stage ReLUs.

    Features of stage k = 1..4: outputs of ``layer{k}`` (after the last ReLU) and inputs
    of ``layer{k}.relu`` (before it).
    """


@MODELS.register_module()
class StageReLUResNet_CIFAR(StageReLUMixin, ResNet_CIFAR):
    """mmpretrain's ``ResNet_CIFAR`` (same arguments and checkpoints) with stage ReLUs.

    Features of stage k = 1..4: outputs of ``layer{k}`` (after the last ReLU) and inputs
    of ``layer{k}.relu`` (before it).
    """
