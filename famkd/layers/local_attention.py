"""Attention over the 3x3 neighbourhood of every position, per channel."""

import torch
from torch import Tensor, nn

from .check_map import check_map
from .kernels import window_attention
from .kernels.compiled import processor
from .kernels.layout import is_channels_last
from .resize_like import resize_like


class Projection(nn.Conv2d):
    """1x1 convolution without bias; a matrix product where that is faster.

    Args:
        channels: Channels of the input and the output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, kernel_size=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if not (x.is_cpu and _product_is_faster(x)):
            return super().forward(x)
        weight = self.weight.flatten(1).expand(len(x), -1, -1)
        places = x.flatten(2)
        if is_channels_last(x):
            out = torch.bmm(places.mT, weight.mT).mT
        else:
            out = torch.bmm(weight, places)
        return out.unflatten(2, x.shape[2:])


def _product_is_faster(x: Tensor) -> bool:
    """Whether a matrix product takes less time on this CPU than a 1x1 convolution.

    oneDNN's convolutions use AVX-512 on every processor that has it, MKL's products of
    float32 on Intel's only. But they reorder a map that lies contiguous, which products
    do not. Of few places a product is slower: every image gives a gradient (C, C).
    """
    if x.shape[2] * x.shape[3] < x.shape[1]:
        return False
    if not _has_avx512():
        return True
    if is_channels_last(x):
        return x.dtype not in (torch.float32, torch.bfloat16)
    return x.dtype != torch.float32 or _is_from_intel()


@torch.compiler.assume_constant_result
def _has_avx512() -> bool:
    return torch.backends.cpu.get_cpu_capability() == 'AVX512'


@torch.compiler.assume_constant_result
def _is_from_intel() -> bool:
    return 'Intel' in processor()


class LocalAttention(nn.Module):
    r"""Local attention (one input) and cross attention (two inputs).

    .. math::
        \text{logit}_{ab} = q \, (k_{ab} + r_{ab}), \qquad
        \text{out} = \textstyle\sum_{ab} \text{softmax}_{ab}(\text{logit}) \, v_{ab}

    for every channel and position, with :math:`q = W_q y`, :math:`k = W_k x`,
    :math:`v = W_v x` (1x1 convolutions without bias), :math:`a, b` the row and
    column of the 3x3 neighbourhood (zero-padded: padded neighbours take part),
    and :math:`r_{ab}` a learnable position term that depends on the row in the
    first half of the channels and on the column in the second half.

    Args:
        channels: Channels C of the inputs and the output, an even number.

    Shape:
        - Input ``x`` (key and value): (N, C, H, W)
        - Input ``y`` (query): (N, C, H', W'), ``x`` if absent; resized to ``x`` by
          nearest neighbours
        - Output: (N, C, H, W)

    Raises:
        ValueError: If ``channels`` is odd, or an input is no map of so many.

    Source: Stand-Alone Self-Attention (NeurIPS 2019,
    https://arxiv.org/abs/1906.05909); FAM-KD (WACV 2024,
    https://arxiv.org/abs/2403.05894), section 3.3, where it is LA (``y = x``) and
    CrossAT.
    """

    attend = staticmethod(window_attention)

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels % 2:
            raise ValueError(
                f'channels={channels} is odd, but local attention gives half of the '
                'channels to row positions and half to column positions; use an even '
                'number (e.g. set mid_channels of the fusion)'
            )
        self.channels = channels
        self.query = Projection(channels)
        self.key = Projection(channels)
        self.value = Projection(channels)
        self.rel_h = nn.Parameter(torch.empty(channels // 2, 3))
        self.rel_w = nn.Parameter(torch.empty(channels // 2, 3))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Released initialisation: Kaiming normal (fan-out), positions N(0, 1)."""
        for conv in (self.query, self.key, self.value):
            nn.init.kaiming_normal_(conv.weight, mode='fan_out', nonlinearity='relu')
        nn.init.normal_(self.rel_h)
        nn.init.normal_(self.rel_w)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self._checked(x)
        y = x if y is None else self._checked(y)
        position = torch.cat(
            (
                self.rel_h[:, :, None].expand(-1, 3, 3),
                self.rel_w[:, None, :].expand(-1, 3, 3),
            )
        )
        # Resized after the projection: the same numbers, from fewer positions.
        query = resize_like(self.query(y), x)
        return self.attend(query, self.key(x), self.value(x), position)

    def _checked(self, x: Tensor) -> Tensor:
        check_map(self, x, self.channels)
        if not x.is_cpu:
            return x
        # One copy here instead of one of each of q, k and v, as autocast would have it.
        half = torch.is_autocast_enabled('cpu') and x.dtype == torch.float32
        return x.to(torch.get_autocast_dtype('cpu') if half else x.dtype)

    def extra_repr(self) -> str:
        return f'{self.channels}'
