"""The layers as released: obviously right, slow, and tested against."""

import torch
from torch import Tensor, nn

from .high_pass import high_pass_mask
from .kernels import reference
from .local_attention import LocalAttention
from .widen import widen


class ReferenceFrequencyAttention(nn.Module):
    r"""The formula of :class:`famkd.layers.FrequencyAttention`, word for word.

    The filter is the full complex spectrum K, one value for every pair of channels
    at every frequency. It computes the same function as the fast form, and is moved
    by SGD in the same way; only the ``filter`` parameter has another layout. The
    arguments, the other parameters and the initialisation are the same.

    Args:
        in_channels: Channels of the input map.
        out_channels: Channels of the output map.
        size: Height and width of the maps.
        high_pass: Kind of high-pass mask, see :func:`high_pass_mask`. Defaults to
            ``'ideal'``.
        cutoff: Cutoff of the mask, in [0, 1). Defaults to 0.1.

    Shape:
        - Input: (N, in_channels, H, W)
        - Output: (N, out_channels, H, W)

    Source: FAM-KD (WACV 2024, https://arxiv.org/abs/2403.05894), section 3.2 and
    Fig. 1, and its released code.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: tuple[int, int],
        high_pass: str = 'ideal',
        cutoff: float = 0.1,
    ) -> None:
        super().__init__()
        mask = high_pass_mask(high_pass, size, cutoff)
        self.register_buffer('mask', mask.to(torch.get_default_dtype()))
        # Real and imaginary part.
        self.filter = nn.Parameter(
            torch.rand(2, in_channels, out_channels, *size)
            / (in_channels * out_channels)
        )
        self.local = nn.Conv2d(in_channels, out_channels, kernel_size=1)
        self.gamma1 = nn.Parameter(torch.full((1,), 0.5))
        self.gamma2 = nn.Parameter(torch.full((1,), 0.5))

    @torch.no_grad()
    def load_full_spectrum(self, filter: Tensor) -> None:
        """Sets K, as :meth:`famkd.layers.FrequencyAttention.load_full_spectrum`.

        Args:
            filter: Complex tensor of shape (C_in, C_out, H, W), in FFT order.
        """
        self.filter.copy_(torch.stack((filter.real, filter.imag)))

    def forward(self, x: Tensor) -> Tensor:
        # There are no transforms of half precision that take all sizes.
        spectrum = torch.fft.fft2(widen(x), norm='ortho')
        mixed = torch.einsum('nihw,iohw->nohw', spectrum, torch.complex(*self.filter))
        passed = torch.fft.ifftshift(
            self.mask * torch.fft.fftshift(mixed, dim=(-2, -1)), dim=(-2, -1)
        )
        filtered = torch.fft.ifft2(passed, norm='ortho').real
        return self.gamma1 * filtered + self.gamma2 * self.local(x)


class ReferenceLocalAttention(LocalAttention):
    """:class:`famkd.layers.LocalAttention` by unfolding the windows."""

    attend = staticmethod(reference.window_attention)
