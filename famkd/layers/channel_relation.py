"""Weights of channels from their relation to the next level's (FreeKD)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from .widen import widen


class ChannelRelation(nn.Module):
    r"""One weight per channel, from how the channels of two levels lie in the image.

    .. math::
        A = \text{softmax}(\psi(F)\, F^\top / \tau), \quad
        w = C \cdot \text{softmax}_c(G(A_c))

    with :math:`F` as (C, HW), :math:`\psi(F)` the next deeper level's map, resized
    bilinearly; both have norm 1 per channel. :math:`G`, two linear layers with a
    ReLU between them, gives one score to each row of :math:`A`. The weights have
    mean 1, so that the gate cannot lower a loss that they multiply by making all
    of them small.

    The paper leaves the normalisations, :math:`\tau` and :math:`G` open; without
    the norms the softmax over an FPN map has one entry that is not 0.

    Args:
        channels: C, the channels of both maps.
        temperature: :math:`\tau`. Defaults to 0.1.

    Shape:
        - Map: (N, C, H, W)
        - Map of the next level: (N, C, H', W')
        - Weights: (N, C)

    Source: FreeKD (CVPR 2024), https://arxiv.org/abs/2311.12079, position-aware
    weights.
    """

    def __init__(self, channels: int, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature
        hidden = max(channels // 4, 1)
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def forward(self, x: Tensor, deeper: Tensor) -> Tensor:
        # Sums over all places of half precision would overflow.
        with torch.autocast(x.device.type, enabled=False):
            x = widen(x)
            resized = interpolate(widen(deeper), x.shape[-2:], mode='bilinear')
            rows = normalize(resized.flatten(2), dim=2)
            columns = normalize(x.flatten(2), dim=2)
            similarity = rows @ columns.transpose(1, 2) / self.temperature
            scores = self.gate(similarity.softmax(-1)).squeeze(-1)
            return x.shape[1] * scores.softmax(-1)
