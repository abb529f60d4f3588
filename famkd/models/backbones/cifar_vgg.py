"""VGG for 32x32 images."""

from collections.abc import Sequence

from mmpretrain.models.backbones.vgg import VGG
from mmpretrain.registry import MODELS
from torch import nn

from .staged_backbone import StagedBackbone


def _make_stage(
    in_channels: int, channels: int, num_convs: int, pool: bool
) -> nn.Sequential:
    stage = nn.Sequential()
    if pool:
        stage.add_module('pool', nn.MaxPool2d(2))
    for i in range(1, num_convs + 1):
        stage.add_module(f'conv{i}', nn.Conv2d(in_channels, channels, 3, padding=1))
        stage.add_module(f'bn{i}', nn.BatchNorm2d(channels))
        if i < num_convs:
            stage.add_module(f'relu{i}', nn.ReLU(inplace=True))
        in_channels = channels
    stage.add_module('relu', nn.ReLU())
    return stage


@MODELS.register_module()
class CIFARVGG(StagedBackbone):
    """VGG with BN for 32x32 images.

    The five groups of 3x3 convolutions of VGG (64, 128, 256, 512 and 512 channels) on
    32x32, 16x16, 8x8, 4x4 and 4x4 maps: the first group is the stem, and the last does
    not halve the map. Convolutions have a bias.

    Features of stage k = 1..4: outputs of ``layer{k}`` (after the last ReLU, before the
    next pooling) and inputs of ``layer{k}.relu`` (before the ReLU).

    Source: `Very deep convolutional networks <https://arxiv.org/abs/1409.1556>`_; the
    form for CIFAR: `Contrastive representation distillation
    <https://arxiv.org/abs/1910.10699>`_.

    Args:
        depth: 8, 11, 13, 16 or 19.
        out_indices: Stages to return, from 0 to 3. Defaults
            to None, the last one.
        init_cfg: Initialisation config. Defaults to None, that of
            :class:`StagedBackbone`.

    Raises:
        ValueError: If ``depth`` is not known, or an index is out of range.
    """

    arch_settings = {8: (1, 1, 1, 1, 1), **VGG.arch_settings}

    def __init__(
        self,
        depth: int,
        out_indices: Sequence[int] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if depth not in self.arch_settings:
            raise ValueError(
                f'CIFARVGG: depth={depth!r} is not known; '
                f'use one of {", ".join(map(str, self.arch_settings))}'
            )
        num_convs = self.arch_settings[depth]
        widths = (3, 64, 128, 256, 512, 512)
        stages = [
            _make_stage(widths[i], widths[i + 1], num_convs[i], pool=i in (1, 2, 3))
            for i in range(5)
        ]
        super().__init__(
            stages[0],
            {f'layer{i}': stage for i, stage in enumerate(stages) if i > 0},
            out_indices,
            init_cfg,
        )
