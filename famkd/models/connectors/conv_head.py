"""A 3x3 convolution as the last step towards the teacher."""

from mmrazor.models.architectures.connectors.base_connector import BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor

from .conv_bn import ConvBN


@MODELS.register_module()
class ConvHead(BaseConnector):
    r"""The head of ReviewKD, :math:`\text{BN}(\text{conv}_{3 \times 3}(x))`.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the teacher's feature.
        size: Not used: a convolution works at any size. Defaults to None.
        init_cfg: Initialisation config. Defaults to None.

    Source: ReviewKD (CVPR 2021, https://arxiv.org/abs/2104.09044).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: tuple[int, int] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.conv = ConvBN(in_channels, out_channels, kernel_size=3)

    def forward_train(self, feature: Tensor) -> Tensor:
        return self.conv(feature)
