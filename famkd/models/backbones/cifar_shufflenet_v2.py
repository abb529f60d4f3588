"""ShuffleNetV2 for 32x32 images."""

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmpretrain.models.backbones.shufflenet_v2 import ShuffleNetV2
from mmpretrain.registry import MODELS
from torch import nn


@MODELS.register_module()
class CIFARShuffleNetV2(ShuffleNetV2):
    """ShuffleNetV2 for 32x32 images.

    mmpretrain's ``ShuffleNetV2`` with a 1x1 convolution as the stem and no pooling:
    three stages on 16x16, 8x8 and 4x4 maps, then a 1x1 convolution.

    Features of stage k = 1..3: outputs of ``layers.{k-1}`` (after the last ReLU) and
    inputs of ``layers.{k-1}.relu`` (before it).

    Source: `ShuffleNet V2 <https://arxiv.org/abs/1807.11164>`_; the form for CIFAR:
    `Contrastive representation distillation <https://arxiv.org/abs/1910.10699>`_.

    Args:
        widen_factor: Width multiplier, from {0.5, 1.0, 1.5, 2.0}. Defaults to
            1.0.
        **kwargs: Other arguments of mmpretrain's ``ShuffleNetV2``.

    Raises:
        ValueError: If ``widen_factor`` or an index is out of range.
    """

    def __init__(self, widen_factor: float = 1.0, **kwargs) -> None:
        kwargs.setdefault(
            'init_cfg',
            [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', val=1, layer='_BatchNorm'),
            ],
        )
        super().__init__(widen_factor, **kwargs)
        self.conv1 = ConvModule(3, 24, 1, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.maxpool = nn.Identity()

    def _make_layer(self, out_channels: int, num_blocks: int) -> nn.Sequential:
        stage = super()._make_layer(out_channels, num_blocks)
        # ReLU commutes with the concatenation and the shuffle after it, and the other
        # half of the channels has had one: it can move to the end of the stage.
        stage[-1].branch2[-1].with_activation = False
        stage.add_module('relu', nn.ReLU())
        return stage

    def init_weights(self) -> None:
        """Initializes by ``init_cfg`` alone, leaving out mmpretrain's own rule.

        That rule (standard deviation 1 / fan-in) is far from what the published
        CIFAR results were trained from.
        """
        BaseModule.init_weights(self)
