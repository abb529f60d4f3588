"""Frequency attention: a learnable filter over the spectrum of a feature map."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from .check_map import check_map, one_more_map
from .frequency_filter import (
    frequency_filter,
    half_spectrum_scale,
    mirror,
    unfold_spectrum,
)
from .high_pass import high_pass_mask


class FrequencyAttention(nn.Module):
    r"""Frequency Attention Module (FAM) of FAM-KD.

    .. math::
        \text{out} = \gamma_1 \, \text{Re}\,\mathcal{F}^{-1}\big(h \cdot
        \textstyle\sum_i K_{io} \mathcal{F}(x_i)\big) + \gamma_2 \,
        (W x + b)

    with :math:`\mathcal{F}` the orthonormal 2-D DFT of each channel, :math:`K`
    a complex filter that mixes all channels at every frequency, :math:`h` the
    high-pass mask, and :math:`W, b` a 1x1 convolution.

    Only the Hermitian part of :math:`hK` acts on a real map, so the filter is
    stored on the half spectrum, as real numbers, in orthonormal coordinates of
    that part (see :func:`half_spectrum_scale`). The gradients are exact, and
    plain SGD (with momentum and weight decay) moves the function exactly as it
    would with the full complex :math:`K` of the paper.

    The filter has about ``C_in * C_out * H * W`` values. With a ``rank`` r it works
    between r channels at most, and two matrices that all frequencies share lead to
    them and from them:

    .. math:: K_{io}(k) = \sum_{p, q} A_{ip} \, K'_{pq}(k) \, B_{qo}

    with :math:`A` (C_in x r) and :math:`B` (r x C_out), each only where that side has
    more than r channels. A rank of ``max(C_in, C_out)`` is the paper's form, with the
    same state dict. :math:`W` keeps all channels.

    There are first derivatives only.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the output map.
        size: Height and width of the maps, an int if they are equal.
        high_pass: Kind of high-pass mask, see :func:`high_pass_mask`.
            Defaults to ``'ideal'``.
        cutoff: Cutoff of the mask, in [0, 1). Defaults to 0.1.
        global_branch: Whether to use the frequency branch. Defaults to True.
        local_branch: Whether to use the 1x1 convolution. Defaults to True.
        rank: Channels between which the filter works at most. Defaults to None (all).

    Shape:
        - Input: (N, in_channels, H, W)
        - Output: (N, out_channels, H, W)

    Raises:
        ValueError: If the size, mask, cutoff or rank is invalid, both branches are off,
            or the input is no map of ``in_channels`` channels and size ``size``.

    Source: FAM-KD (WACV 2024, https://arxiv.org/abs/2403.05894), section 3.2 and
    Fig. 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int | tuple[int, int],
        high_pass: str = 'ideal',
        cutoff: float = 0.1,
        global_branch: bool = True,
        local_branch: bool = True,
        rank: int | None = None,
    ) -> None:
        super().__init__()
        if not (global_branch or local_branch):
            raise ValueError(
                'global_branch=False and local_branch=False leave nothing to learn; '
                'keep at least one'
            )
        if rank is not None and not (type(rank) is int and rank > 0):
            raise ValueError(
                f'rank={rank!r} must be a number of channels, at least 1; leave it out '
                'for a filter between all channels'
            )
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        if min(self.size) < 1:
            raise ValueError(f'size={size!r} must be a height and width of at least 1')
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.global_branch = global_branch
        self.local_branch = local_branch
        self.filter_channels = tuple(
            channels if rank is None else min(channels, rank)
            for channels in (in_channels, out_channels)
        )

        mask = torch.fft.ifftshift(high_pass_mask(high_pass, self.size, cutoff))
        self.register_buffer('mask', mask.float(), persistent=False)
        if global_branch:
            self.register_buffer(
                'scale', half_spectrum_scale(mask).float(), persistent=False
            )
            # Not 4-D or 5-D: `.to(memory_format=...)` would lay it out as a map.
            inner_in, inner_out = self.filter_channels
            self.filter = nn.Parameter(
                torch.empty(self.scale.numel(), inner_in, inner_out * 2)
            )
            if inner_in < in_channels:
                self.reduce = nn.Parameter(torch.empty(in_channels, inner_in))
            if inner_out < out_channels:
                self.expand = nn.Parameter(torch.empty(inner_out, out_channels))
            self.gamma1 = nn.Parameter(torch.empty(1))
        if local_branch:
            self.local = nn.Conv2d(in_channels, out_channels, kernel_size=1)
            self.gamma2 = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Released initialisation: K uniform in [0, 1) / (C_in C_out), gammas 0.5.

        With a rank, this is the filter between fewer channels, and orthonormal
        vectors lead to and from them.
        """
        if self.global_branch:
            inner_in, inner_out = self.filter_channels
            self.load_full_spectrum(
                torch.rand(inner_in, inner_out, *self.size, dtype=torch.cfloat)
                / (inner_in * inner_out)
            )
            for matrix in self._matrices():
                if matrix is not None:
                    nn.init.orthogonal_(matrix)
            nn.init.constant_(self.gamma1, 0.5)
        if self.local_branch:
            self.local.reset_parameters()
            nn.init.constant_(self.gamma2, 0.5)

    @torch.no_grad()
    def load_full_spectrum(self, filter: Tensor) -> None:
        """Sets the filter from the full complex K of the paper.

        Args:
            filter: Complex tensor of shape (C_in, C_out, H, W), in FFT order
                (not shifted), before the high-pass mask; with a ``rank``, K' between
                the channels ``filter_channels``.
        """
        half_width = self.size[1] // 2 + 1
        masked = self.mask * filter
        hermitian = (masked + mirror(masked).conj())[..., :half_width] / 2
        # Bins that the mask removes altogether have no coordinates: they stay 0.
        coordinates = hermitian / self.scale.where(self.scale > 0, torch.inf)
        self._bins.copy_(torch.view_as_real(coordinates.permute(2, 3, 0, 1)))

    @torch.no_grad()
    def full_spectrum(self) -> Tensor:
        """The complex filter that acts, after the high-pass mask.

        Returns:
            Tensor: Shape (C_in, C_out, H, W), in FFT order (not shifted), with
            Hermitian symmetry.
        """
        scaled = self._bins * self.scale[..., None, None, None]
        half = torch.view_as_complex(scaled).permute(2, 3, 0, 1)
        spectrum = unfold_spectrum(half, self.size)
        reduce, expand = self._matrices()
        if reduce is not None:
            spectrum = torch.einsum('ip,pqhw->iqhw', reduce.to(spectrum), spectrum)
        if expand is not None:
            spectrum = torch.einsum('qo,iqhw->iohw', expand.to(spectrum), spectrum)
        return spectrum

    @torch.no_grad()
    def unmasked_spectrum(self) -> Tensor:
        r"""The filter before the high-pass mask.

        .. math:: \big(h(k) K(k) + h(-k) \overline{K(-k)}\big) / (h(k) + h(-k))

        Times the mean of :math:`h(k)` and :math:`h(-k)` it is
        :meth:`full_spectrum`.

        Returns:
            Tensor: Shape (C_in, C_out, H, W), in FFT order (not shifted), with
            Hermitian symmetry; NaN where the mask removes both bins, of which
            nothing is learned.
        """
        mask = ((self.mask + mirror(self.mask)) / 2).to(self.filter.dtype)
        return self.full_spectrum() / mask.where(mask > 0, torch.nan)

    @property
    def _bins(self) -> Tensor:
        """The filter as (H, W // 2 + 1, C_in, C_out, 2), of ``filter_channels``."""
        return self.filter.view(*self.scale.shape, *self.filter_channels, 2)

    def _matrices(self) -> tuple[Tensor | None, Tensor | None]:
        """A and B, where there are any."""
        return getattr(self, 'reduce', None), getattr(self, 'expand', None)

    def forward(self, x: Tensor) -> Tensor:
        check_map(self, x, self.in_channels)
        if x.shape[-2:] != self.size:
            raise ValueError(
                f'the map is {tuple(x.shape[-2:])} but this FrequencyAttention was '
                f'built with size={self.size}; build it with the size of the map (in '
                'a distillation config: set model.input_shape to that of the images)'
            )
        if not len(x):
            return self(one_more_map(x))[:0]
        if not self.global_branch:
            return self.gamma2.to(x.dtype) * self.local(x)
        if self.filter_channels != (self.in_channels, self.out_channels):
            return self._forward_low_rank(x)
        pointwise = bias = None
        if self.local_branch:
            pointwise = self.gamma2 * self.local.weight.flatten(1).t()
            bias = self.gamma2 * self.local.bias
        scale = self.gamma1 * self.scale
        return frequency_filter(x, self._bins, scale, pointwise, bias)

    def _forward_low_rank(self, x: Tensor) -> Tensor:
        reduce, expand = self._matrices()
        inner = x if reduce is None else _mix_channels(x, reduce)
        out = frequency_filter(inner, self._bins, self.gamma1 * self.scale)
        if expand is not None:
            out = _mix_channels(out, expand)
        if self.local_branch:
            out = out + self.gamma2.to(out.dtype) * self.local(x)
        return out

    def extra_repr(self) -> str:
        text = f'{self.in_channels}, {self.out_channels}, size={self.size}'
        if self.filter_channels != (self.in_channels, self.out_channels):
            text += f', filter_channels={self.filter_channels}'
        return text


def _mix_channels(x: Tensor, matrix: Tensor) -> Tensor:
    """A map (N, C, H, W) by a matrix (C, D): (N, D, H, W)."""
    return conv2d(x, matrix.t()[..., None, None])
