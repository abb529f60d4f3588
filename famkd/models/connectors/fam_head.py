"""Frequency attention as the last step towards the teacher."""

from typing import Any

from mmrazor.models.architectures.connectors.base_connector import BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.layers import DynamicFrequencyAttention, FrequencyAttention


@MODELS.register_module(name=['FAMHead', 'FAMConnector'])
class FAMHead(BaseConnector):
    r"""Teacher-shaped feature by frequency attention.

    .. math:: \text{out} = \text{ReLU}(\text{BN}(\text{FAM}(x)))

    ``FAMConnector``, its name as a connector of MMRazor's
    ``ConfigurableDistiller``, is the same class.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the teacher's feature.
        size: Height and width of the map.
        with_relu: Whether the ReLU is there; without it the output is that of
            a teacher before its ReLU. Defaults to True.
        init_cfg: Initialisation config. Defaults to None.
        **fam: Further options of :class:`famkd.layers.FrequencyAttention`
            (``high_pass``, ``cutoff``, ``global_branch``, ``local_branch``, ``rank``).

    Source: FAM-KD (WACV 2024, https://arxiv.org/abs/2403.05894), Figs. 2 and 3.
    """

    layer = FrequencyAttention

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int | tuple[int, int],
        with_relu: bool = True,
        init_cfg: dict | None = None,
        **fam: Any,
    ) -> None:
        super().__init__(init_cfg)
        self.fam = self.layer(in_channels, out_channels, size, **fam)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True) if with_relu else nn.Identity()

    def forward_train(self, feature: Tensor) -> Tensor:
        return self.relu(self.bn(self.fam(feature)))


@MODELS.register_module(name=['DynamicFAMHead', 'DynamicFAMConnector'])
class DynamicFAMHead(FAMHead):
    """:class:`FAMHead` for maps whose size changes from image to image.

    ``DynamicFAMConnector`` is the same class.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the teacher's feature.
        size: Not used: this one works at any size. Defaults to None.
        base_size: Grid of frequencies on which the filter is stored. Defaults to
            32.
        **kwargs: ``with_relu``, ``init_cfg`` and the further options of
            :class:`famkd.layers.DynamicFrequencyAttention` (``high_pass``,
            ``cutoff``, ``global_branch``, ``local_branch``).
    """

    layer = DynamicFrequencyAttention

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int | tuple[int, int] | None = None,
        base_size: int | tuple[int, int] = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, base_size, **kwargs)


FAMConnector = FAMHead
DynamicFAMConnector = DynamicFAMHead
