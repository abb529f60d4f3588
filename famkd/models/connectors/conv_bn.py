"""The convolution with batch normalisation of fusions and heads."""

from collections import OrderedDict

from torch import nn


class ConvBN(nn.Sequential):
    """Convolution without bias, BN, and a ReLU if there is one.

    Unlike that of mmcv's ``ConvModule``, its start is that of the released ReviewKD
    and FAM-KD, Kaiming-uniform with a = 1 (standard deviation 1 / sqrt(fan-in)), and
    ``init_weights()`` of the model leaves it so.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the output map.
        kernel_size: Height and width of the kernel, odd; the map keeps its size.
            Defaults to 1.
        with_relu: Whether a ReLU follows. Defaults to False.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        with_relu: bool = False,
    ) -> None:
        conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            padding=kernel_size // 2,
            bias=False,
        )
        nn.init.kaiming_uniform_(conv.weight, a=1)
        layers = OrderedDict(conv=conv, bn=nn.BatchNorm2d(out_channels))
        if with_relu:
            layers['relu'] = nn.ReLU(inplace=True)
        super().__init__(layers)
