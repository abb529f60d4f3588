"""MobileNetV1, which mmpretrain lacks."""

from collections.abc import Sequence

from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmpretrain.registry import MODELS
from torch import nn

from .staged_backbone import StagedBackbone

NORM = dict(type='BN')


@MODELS.register_module()
class MobileNetV1(StagedBackbone):
    """MobileNetV1.

    A 3x3 convolution and 13 depthwise separable convolutions in four stages, on maps
    of 1/4, 1/8, 1/16 and 1/32 of the image with 128, 256, 512 and 1024 channels.

    Features of stage k = 1..4: outputs of ``layer{k}`` (after the last ReLU) and inputs
    of ``layer{k}.relu`` (before it).

    Source: `MobileNets <https://arxiv.org/abs/1704.04861>`_, Table 1.

    Args:
        out_indices: Stages to return, from 0 to 3. Defaults
            to None, the last one.
        init_cfg: Initialisation config. Defaults to None, that of
            :class:`StagedBackbone`.

    Raises:
        ValueError: If an index is out of range.
    """

    # Per stage: (channels, stride) of each separable convolution.
    arch_settings = [
        [(64, 1), (128, 2), (128, 1)],
        [(256, 2), (256, 1)],
        [(512, 2), *[(512, 1)] * 5],
        [(1024, 2), (1024, 1)],
    ]

    def __init__(
        self,
        out_indices: Sequence[int] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        in_channels = 32
        stem = ConvModule(3, in_channels, 3, stride=2, padding=1, norm_cfg=NORM)
        stages = {}
        for i, settings in enumerate(self.arch_settings):
            stage = nn.Sequential()
            for j, (channels, stride) in enumerate(settings):
                last = j == len(settings) - 1
                conv = DepthwiseSeparableConvModule(
                    in_channels,
                    channels,
                    3,
                    stride=stride,
                    padding=1,
                    norm_cfg=NORM,
                    pw_act_cfg=None if last else dict(type='ReLU'),
                )
                stage.append(conv)
                in_channels = channels
            stage.add_module('relu', nn.ReLU())
            stages[f'layer{i + 1}'] = stage
        super().__init__(stem, stages, out_indices, init_cfg)
