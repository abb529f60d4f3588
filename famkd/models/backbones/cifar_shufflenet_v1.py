"""ShuffleNetV1 for 32x32 images."""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmpretrain.models.utils import channel_shuffle
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from .staged_backbone import StagedBackbone

NORM = dict(type='BN')


class ShuffleUnit(nn.Module):
    """ShuffleNetV1 unit, with a ReLU after the depthwise convolution.

    ``conv3(conv2(shuffle(conv1(x))))``: 1x1 in groups, 3x3 depthwise, 1x1 in groups;
    added to x, or, where the map is halved, concatenated with its average pooling.
    mmpretrain's unit has other widths and no ReLU after the depthwise convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        groups: int,
        first_groups: int,
        last_relu: bool,
    ) -> None:
        super().__init__()
        self.halves = in_channels != out_channels
        branch_channels = out_channels - in_channels if self.halves else out_channels
        mid_channels = branch_channels // 4
        self.first_groups = first_groups
        self.conv1 = ConvModule(
            in_channels, mid_channels, 1, groups=first_groups, norm_cfg=NORM
        )
        self.conv2 = ConvModule(
            mid_channels,
            mid_channels,
            3,
            stride=2 if self.halves else 1,
            padding=1,
            groups=mid_channels,
            norm_cfg=NORM,
        )
        self.conv3 = ConvModule(
            mid_channels, branch_channels, 1, groups=groups, norm_cfg=NORM, act_cfg=None
        )
        self.pool = nn.AvgPool2d(3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True) if last_relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = channel_shuffle(self.conv1(x), self.first_groups)
        out = self.conv3(self.conv2(out))
        if self.halves:
            out = torch.cat([out, self.pool(x)], dim=1)
        else:
            out = out + x
        return self.relu(out)


@MODELS.register_module()
class CIFARShuffleNetV1(StagedBackbone):
    """ShuffleNetV1 with three groups for 32x32 images.

    A 1x1 convolution to 24 channels, then three stages of 4, 8 and 4 units on 16x16,
    8x8 and 4x4 maps with 240, 480 and 960 channels.

    Features of stage k = 1..3: outputs of ``layer{k}`` (after the last ReLU) and inputs
    of ``layer{k}.relu`` (before it).

    Source: `ShuffleNet <https://arxiv.org/abs/1707.01083>`_, Table 1 (g = 3); the form
    for CIFAR: `Contrastive representation distillation
    <https://arxiv.org/abs/1910.10699>`_.

    Args:
        out_indices: Stages to return, from 0 to 2. Defaults
            to None, the last one.
        init_cfg: Initialisation config. Defaults to None, that of
            :class:`StagedBackbone`.

    Raises:
        ValueError: If an index is out of range.
    """

    def __init__(
        self,
        out_indices: Sequence[int] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        groups = 3
        in_channels = 24
        stem = ConvModule(3, in_channels, 1, norm_cfg=NORM)
        stages = {}
        for i, (channels, num_units) in enumerate(((240, 4), (480, 8), (960, 4))):
            stage = nn.Sequential()
            for j in range(num_units):
                unit = ShuffleUnit(
                    in_channels,
                    channels,
                    groups,
                    first_groups=1 if i == j == 0 else groups,
                    last_relu=j < num_units - 1,
                )
                stage.append(unit)
                in_channels = channels
            stage.add_module('relu', nn.ReLU())
            stages[f'layer{i + 1}'] = stage
        super().__init__(stem, stages, out_indices, init_cfg)
