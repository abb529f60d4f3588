"""Frequency attention for maps of any size (dense prediction)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from .check_map import check_map, one_more_map
from .depthwise_filter import depthwise_filter, resample_spectrum
from .frequency_filter import half_spectrum_scale, mirror, unfold_spectrum
from .high_pass import high_pass_mask
from .widen import widen


class DynamicFrequencyAttention(nn.Module):
    r"""Frequency attention whose filter is resampled to the map at hand.

    The filter of :class:`FrequencyAttention` belongs to one map size, and grows
    with it. Here a 1x1 convolution :math:`W, b` maps the channels, and one filter
    for each output channel, on a base grid of frequencies, follows:

    .. math::
        y = W x, \quad \text{out} = \gamma_1 \, \text{Re}\,\mathcal{F}^{-1}\big(h
        \cdot \text{resample}(K_o) \, \mathcal{F}(y_o)\big) + \gamma_2 \, (y + b)

    with :math:`h` the high-pass mask of the map's own size. Both branches share
    :math:`W`: on large maps the convolution is most of the cost, and the local
    branch is then part of the same filter. So at the base size this is
    :class:`FrequencyAttention` with :math:`K_{io} = W_{oi} K_o`, which is a
    diagonal :math:`K` where :math:`W` is the identity.

    The filter is stored as real numbers, in orthonormal coordinates of what acts on
    real maps of the base size (see :func:`half_spectrum_scale`). The cost is
    that of the convolution and of two real FFTs; nothing is kept per size.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the output map.
        base_size: Height and width of the maps on whose frequencies the filter is
            stored, an int if they are equal. Defaults to 32.
        high_pass: Kind of high-pass mask, see :func:`high_pass_mask`.
            Defaults to ``'ideal'``.
        cutoff: Cutoff of the mask, in [0, 1). Defaults to 0.1.
        global_branch: Whether to use the frequency branch. Defaults to True.
        local_branch: Whether to use the local branch. Defaults to True.

    Shape:
        - Input: (N, in_channels, H, W), any H and W
        - Output: (N, out_channels, H, W)

    Raises:
        ValueError: If the mask, cutoff or base size is invalid, both branches
            are off, or the input is no map of ``in_channels`` channels.

    Source: FAM-KD (WACV 2024, https://arxiv.org/abs/2403.05894), section 3.2; the
    filter for any size is an extension of this project.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        base_size: int | tuple[int, int] = 32,
        high_pass: str = 'ideal',
        cutoff: float = 0.1,
        global_branch: bool = True,
        local_branch: bool = True,
    ) -> None:
        super().__init__()
        if not (global_branch or local_branch):
            raise ValueError(
                'global_branch=False and local_branch=False leave nothing to learn; '
                'keep at least one'
            )
        if isinstance(base_size, int):
            base_size = (base_size, base_size)
        if min(base_size) < 1:
            raise ValueError(
                f'base_size={base_size} must be positive: the number of frequencies '
                'along each axis on which the filter is stored, e.g. 32'
            )
        self.base_size = tuple(base_size)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.high_pass = high_pass
        self.cutoff = cutoff
        self.global_branch = global_branch
        self.local_branch = local_branch

        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=local_branch)
        if global_branch:
            share = self._base_share()
            scale = half_spectrum_scale(share) / _hermitian_half(share)
            self.register_buffer('scale', scale.float(), persistent=False)
            # Not 4-D: `.to(memory_format=...)` would lay it out as a map.
            self.filter = nn.Parameter(torch.empty(out_channels, scale.numel(), 2))
            self.gamma1 = nn.Parameter(torch.empty(1))
        if local_branch:
            self.gamma2 = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """The initialisation of FAM: K uniform in [0, 1) / C_out, gammas 0.5."""
        self.pointwise.reset_parameters()
        if self.global_branch:
            size = (self.out_channels, *self.base_size)
            # One input channel for each output channel, where FAM has C_in.
            self.load_full_spectrum(
                torch.rand(size, dtype=torch.cfloat) / self.out_channels
            )
            nn.init.constant_(self.gamma1, 0.5)
        if self.local_branch:
            nn.init.constant_(self.gamma2, 0.5)

    @torch.no_grad()
    def load_full_spectrum(self, filter: Tensor) -> None:
        """Sets the filter from a full complex K.

        Args:
            filter: Complex tensor of shape (C_out, h0, w0), in FFT order (not
                shifted), before the high-pass mask.
        """
        share = self._base_share().to(filter.device)
        shared = share * filter
        hermitian = (shared + mirror(shared).conj()) / (share + mirror(share))
        half = hermitian[..., : self.base_size[1] // 2 + 1] / self.scale
        self._bins.copy_(torch.view_as_real(half))

    @torch.no_grad()
    def full_spectrum(self) -> Tensor:
        """The filter that acts on maps of the base size, after the high-pass mask.

        Returns:
            Tensor: Complex, shape (C_out, h0, w0), in FFT order (not shifted), with
            Hermitian symmetry.
        """
        return unfold_spectrum(self.half_spectrum(self.base_size), self.base_size)

    @torch.no_grad()
    def unmasked_spectrum(self) -> Tensor:
        """The filter at the base size, before the high-pass mask.

        All of it is learned: what the mask removes at the base size acts at others.

        Returns:
            Tensor: Complex, shape (C_out, h0, w0), in FFT order (not shifted), with
            Hermitian symmetry.
        """
        base = torch.view_as_complex(self.scale[..., None] * self._bins)
        return unfold_spectrum(base, self.base_size)

    def half_spectrum(
        self, size: tuple[int, int], gain: float | Tensor = 1.0
    ) -> Tensor:
        """The filter that acts on maps of one size, after the high-pass mask.

        Args:
            size: Height and width (H, W) of the maps.
            gain: Factor of the filter. Defaults to 1.

        Returns:
            Tensor: Complex, shape (C_out, H, W // 2 + 1), in FFT order.
        """
        device = self.filter.device
        mask = high_pass_mask(self.high_pass, size, self.cutoff, device=device)
        bins = gain * self.scale[..., None] * self._bins
        # There are no complex numbers of bfloat16.
        bins = widen(bins)
        base = resample_spectrum(torch.view_as_complex(bins), self.base_size, size)
        return _hermitian_half(torch.fft.ifftshift(mask)).to(bins) * base

    def forward(self, x: Tensor) -> Tensor:
        check_map(self, x, self.in_channels)
        if not len(x):
            return self(one_more_map(x))[:0]
        if not self.global_branch:
            return self.gamma2.to(x.dtype) * self.pointwise(x)
        x = conv2d(x, self.pointwise.weight)
        with torch.autocast(x.device.type, enabled=False):
            filter = self.half_spectrum(x.shape[-2:], self.gamma1)
            bias = None
            if self.local_branch:
                filter = filter + self.gamma2
                bias = self.gamma2 * self.pointwise.bias
            return depthwise_filter(x, filter, bias)

    def extra_repr(self) -> str:
        return f'{self.in_channels}, {self.out_channels}, base_size={self.base_size}'

    @property
    def _bins(self) -> Tensor:
        """The filter as (C_out, h0, w0 // 2 + 1, 2)."""
        return self.filter.view(self.out_channels, *self.scale.shape, 2)

    def _base_share(self) -> Tensor:
        """How much K(k) counts, against K(-k), in the filter at the base size.

        It is the high-pass mask, except that bins which it removes altogether count
        in full: on maps of other sizes they may act.
        """
        mask = high_pass_mask(self.high_pass, self.base_size, self.cutoff)
        mask = torch.fft.ifftshift(mask)
        return mask.where(mask + mirror(mask) > 0, 1.0)


def _hermitian_half(mask: Tensor) -> Tensor:
    """The gain of a mask on real maps, on the half spectrum: (h(k) + h(-k)) / 2."""
    return ((mask + mirror(mask)) / 2)[:, : mask.shape[1] // 2 + 1]
