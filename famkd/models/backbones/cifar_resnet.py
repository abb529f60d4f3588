"""ResNets for 32x32 images."""

from collections.abc import Sequence

from mmpretrain.models.backbones.resnet import BasicBlock
from mmpretrain.models.backbones.resnet_cifar import ResNet_CIFAR
from mmpretrain.registry import MODELS

from .stage_relu import StageReLUMixin


@MODELS.register_module()
class CIFARResNet(StageReLUMixin, ResNet_CIFAR):
    """ResNet of depth 6n+2 for 32x32 images.

    Three stages of n basic blocks on 32x32, 16x16 and 8x8 maps with ``base_channels``
    times 1, 2 and 4 channels, after a 3x3 convolution to ``stem_channels``. State-dict
    keys are those of the widely used CIFAR ResNets (``conv1``, ``bn1``,
    ``layer1.0.conv1``, ...). A 1x1 convolution and BN is the shortcut where the shape
    changes.

    Features of stage k = 1..3: outputs of ``layer{k}`` (after the last ReLU) and inputs
    of ``layer{k}.relu`` (before it).

    Source: `Deep residual learning <https://arxiv.org/abs/1512.03385>`_, section 4.2;
    the "x4" networks (``stem_channels=32, base_channels=64``): `Contrastive
    representation distillation <https://arxiv.org/abs/1910.10699>`_.

    Args:
        depth: 6n+2: 8, 14, 20, 26, 32, ..., 1202.
        stem_channels: Channels after the first convolution. Defaults to 16.
        base_channels: Channels of the first stage. Defaults to 16.
        out_indices: Stages to return, from 0 to 2. Defaults to
            ``(2, )``.
        zero_init_residual: Whether the last BN of each block starts at zero.
            Defaults to False.
        **kwargs: Other arguments of mmpretrain's ``ResNet_CIFAR``.

    Raises:
        ValueError: If ``depth`` is not 6n+2.
    """

    arch_settings = {6 * n + 2: (BasicBlock, (n, n, n)) for n in range(1, 201)}

    def __init__(
        self,
        depth: int,
        stem_channels: int = 16,
        base_channels: int = 16,
        out_indices: Sequence[int] = (2,),
        zero_init_residual: bool = False,
        **kwargs,
    ) -> None:
        if depth not in self.arch_settings:
            raise ValueError(
                f'CIFARResNet: depth={depth!r} is not 6n+2; '
                'use one of 8, 14, 20, 26, 32, ..., 1202'
            )
        super().__init__(
            depth,
            stem_channels=stem_channels,
            base_channels=base_channels,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=out_indices,
            zero_init_residual=zero_init_residual,
            **kwargs,
        )
