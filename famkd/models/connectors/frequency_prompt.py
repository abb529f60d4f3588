"""Prompts that choose places in the wavelet bands of a map."""

import torch
from mmrazor.models.architectures.connectors.base_connector import BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.layers import frequency_masks, prompted_map
from famkd.layers.check_map import check_map


@MODELS.register_module()
class FrequencyPrompt(BaseConnector):
    r"""The semantic frequency prompts of one map.

    .. math::
        M_b = \text{sigmoid}(P_b R_b), \quad
        F \leftarrow \text{DWT}^{-1}(\textstyle\sum_i M_{b,i} \, B_b)

    over the bands :math:`B_b` of a Haar wavelet transform, see
    :func:`famkd.layers.frequency_masks`. The prompts start near 0, the masks near
    1/2: the map is then multiplied by T/2.

    Args:
        channels: Channels of the map.
        num_prompts: T, prompts per band. Defaults to 2 (the paper's; the released
            configuration has 6).
        levels: Levels of the wavelet transform. Defaults to 3.
        init_cfg: Initialisation config. Defaults to None.

    Attributes:
        prompt: P, shape (levels + 1, T, channels): the low band, then the levels,
            finest first.

    Shape:
        - Input, output: (N, channels, H, W)

    Source: FreeKD (CVPR 2024), https://arxiv.org/abs/2311.12079.
    """

    def __init__(
        self,
        channels: int,
        num_prompts: int = 2,
        levels: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        for name, value in (('num_prompts', num_prompts), ('levels', levels)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f'{name}={value!r} of FrequencyPrompt must be a whole number of at '
                    'least 1'
                )
        self.prompt = nn.Parameter(
            0.01 * torch.randn(levels + 1, num_prompts, channels)
        )

    def masks(self, feature: Tensor) -> list[Tensor]:
        """The masks of each band, shape (N, T, h, w) of the band."""
        check_map(self, feature, self.prompt.shape[-1])
        return frequency_masks(feature, self.prompt)

    def forward_train(self, feature: Tensor) -> Tensor:
        return prompted_map(feature, self.masks(feature))
