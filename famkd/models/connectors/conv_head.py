"""A convolution as the last step towards the teacher."""

from mmrazor.models.architectures.connectors.base_connector import BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor

from .conv_bn import ConvBN


@MODELS.register_module()
class ConvHead(BaseConnector):
    r"""The head of ReviewKD, :math:`\text{BN}(\text{conv}(x))`.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the teacher's feature.
        size: Not used: a convolution works at any size. Defaults to None.
        kernel_size: Side of the convolution's kernel. Defaults to 3.
        init_cfg: Initialisation config. Defaults to None.

    Source: ReviewKD (CVPR 2021, https://arxiv.org/abs/2104.09044).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: tuple[int, int] | None = None,
        kernel_size: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.conv = ConvBN(in_channels, out_channels, kernel_size)

    def forward_train(self, feature: Tensor) -> Tensor:
        return self.conv(feature)
