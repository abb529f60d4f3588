"""MobileNetV2 for 32x32 images."""

from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmpretrain.models.backbones.mobilenet_v2 import InvertedResidual
from mmpretrain.registry import MODELS
from torch import nn

from .staged_backbone import StagedBackbone

NORM = dict(type='BN')
RELU = dict(type='ReLU')


@MODELS.register_module()
class CIFARMobileNetV2(StagedBackbone):
    """MobileNetV2 for 32x32 images.

    mmpretrain's inverted residual blocks with ReLU in place of ReLU6, four stages on
    16x16, 8x8, 4x4 and 2x2 maps, then ``conv2``, a 1x1 convolution to 1280 channels.

    Features of stage k = 1..4: outputs of ``layer{k}``. There is no ReLU at the end of
    a stage (linear bottlenecks).

    Source: `MobileNetV2 <https://arxiv.org/abs/1801.04381>`_, Table 2; the form for
    CIFAR: `Contrastive representation distillation
    <https://arxiv.org/abs/1910.10699>`_.

    Args:
        widen_factor: Width multiplier; widths are rounded down. Defaults to
            0.5.
        out_indices: Modules to return: 0 to 3 are the
            stages, 4 is ``conv2``. Defaults to None, which is ``(4, )``.
        init_cfg: Initialisation config. Defaults to None, that of
            :class:`StagedBackbone`.

    Raises:
        ValueError: If an index is out of range.
    """

    # Per stage: (expansion, channels, blocks, stride of the first block).
    arch_settings = [
        [(1, 16, 1, 1), (6, 24, 2, 1)],
        [(6, 32, 3, 2)],
        [(6, 64, 4, 2), (6, 96, 3, 1)],
        [(6, 160, 3, 2), (6, 320, 1, 1)],
    ]

    def __init__(
        self,
        widen_factor: float = 0.5,
        out_indices: Sequence[int] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        in_channels = int(32 * widen_factor)
        stem = ConvModule(
            3, in_channels, 3, stride=2, padding=1, norm_cfg=NORM, act_cfg=RELU
        )
        # mmpretrain's block leaves out the expansion by 1, this network has it.
        blocks = [ConvModule(in_channels, in_channels, 1, norm_cfg=NORM, act_cfg=RELU)]
        stages = {}
        for i, settings in enumerate(self.arch_settings):
            for expansion, channels, num_blocks, stride in settings:
                channels = int(channels * widen_factor)
                for j in range(num_blocks):
                    blocks.append(
                        InvertedResidual(
                            in_channels,
                            channels,
                            stride if j == 0 else 1,
                            expansion,
                            norm_cfg=NORM,
                            act_cfg=RELU,
                        )
                    )
                    in_channels = channels
            stages[f'layer{i + 1}'] = nn.Sequential(*blocks)
            blocks = []
        stages['conv2'] = ConvModule(in_channels, 1280, 1, norm_cfg=NORM, act_cfg=RELU)
        super().__init__(stem, stages, out_indices, init_cfg)
