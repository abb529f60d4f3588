"""Wide ResNets for 32x32 images."""

from collections import OrderedDict
from collections.abc import Sequence

from mmpretrain.registry import MODELS
from torch import Tensor, nn

from .staged_backbone import StagedBackbone


class PreActBlock(nn.Module):
    """``x + conv2(relu(bn2(conv1(relu(bn1(x))))))``, 3x3 convolutions.

    Where the width changes, the shortcut is a 1x1 convolution of ``relu(bn1(x))``.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        # Not in place: what it sees is the previous stage's feature before the ReLU.
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.shortcut = None
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(x))
        shortcut = x if self.shortcut is None else self.shortcut(out)
        return self.conv2(self.relu2(self.bn2(self.conv1(out)))) + shortcut


@MODELS.register_module()
class CIFARWideResNet(StagedBackbone):
    """Wide ResNet WRN-depth-widen_factor for 32x32 images.

    Three stages of (depth - 4) / 6 pre-activation blocks on 32x32, 16x16 and 8x8 maps
    with ``widen_factor`` times 16, 32 and 64 channels, then ``post``: BN and ReLU.

    Features of stage k = 1..3: outputs of ``layer{k}``, sums to which no BN and ReLU
    have been applied yet. Those after BN, before the ReLU: inputs of
    ``layer2.0.relu1``, ``layer3.0.relu1`` and ``post.relu``; after the ReLU: the
    outputs of these three.

    Source: `Wide residual networks <https://arxiv.org/abs/1605.07146>`_.

    Args:
        depth: 6n+4: 10, 16, 22, 28, 34, 40, ...
        widen_factor: Width multiplier.
        out_indices: Modules to return: 0 to 2 are the
            stages, 3 is ``post``. Defaults to None, which is ``(3, )``.
        init_cfg: Initialisation config. Defaults to None, that of
            :class:`StagedBackbone`.

    Raises:
        ValueError: If ``depth`` is not 6n+4, or an index is out of range.
    """

    def __init__(
        self,
        depth: int,
        widen_factor: int,
        out_indices: Sequence[int] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if depth not in range(10, 10**4, 6):
            raise ValueError(
                f'CIFARWideResNet: depth={depth!r} is not 6n+4; '
                'use one of 10, 16, 22, 28, 34, 40, ...'
            )
        stages = {}
        in_channels = 16
        for i, stride in enumerate((1, 2, 2)):
            channels = 16 * 2**i * widen_factor
            blocks = [PreActBlock(in_channels, channels, stride)]
            blocks += [
                PreActBlock(channels, channels, 1) for _ in range((depth - 10) // 6)
            ]
            stages[f'layer{i + 1}'] = nn.Sequential(*blocks)
            in_channels = channels
        stages['post'] = nn.Sequential(
            OrderedDict(bn=nn.BatchNorm2d(in_channels), relu=nn.ReLU())
        )
        stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        super().__init__(stem, stages, out_indices, init_cfg)
