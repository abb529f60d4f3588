"""Channel mixing at every frequency of a real map, on the half spectrum."""

import math

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BACKENDS = ('fft', 'dft')


def half_spectrum_scale(mask: Tensor) -> Tensor:
    r"""Norm of the coordinate vector of every bin of the half spectrum.

    The filter that acts on a real map is the Hermitian part :math:`V(k) =
    (h(k) K(k) + h(-k) \overline{K(-k)}) / 2`. Written as :math:`V = a P` with

    .. math:: a(k)^2 = c(k) \, (h(k)^2 + h(-k)^2) / 2, \quad
        c(k) = \begin{cases} 1 & k \text{ in a self-conjugate column} \\
        1/2 & \text{elsewhere} \end{cases}

    :math:`P` are coordinates of :math:`K` in an orthonormal basis of the
    subspace that acts: gradient descent on :math:`P` is gradient descent on
    :math:`K`. (Inner columns of the half spectrum stand for two bins each, the
    self-conjugate ones, 0 and W/2, for one.)

    Args:
        mask: High-pass mask of shape (H, W), in FFT order (not shifted).

    Returns:
        Tensor: :math:`a`, of shape (H, W // 2 + 1) and the mask's dtype.
    """
    mirrored = mask.flip(0, 1).roll((1, 1), (0, 1))
    width = mask.shape[1]
    scale = ((mask**2 + mirrored**2) / 4).sqrt()[:, : width // 2 + 1]
    scale[:, 0] *= math.sqrt(2)
    if width % 2 == 0:
        scale[:, -1] *= math.sqrt(2)
    return scale


def frequency_filter(
    x: Tensor, weight: Tensor, scale: Tensor, backend: str | None = None
) -> Tensor:
    r"""Filters a map: :math:`\mathcal{F}^{-1}(a \sum_i P_{io} \mathcal{F}(x_i))`.

    Args:
        x: Map of shape (N, C_in, H, W). Half precision is computed in float32.
        weight: :math:`P`, real, shape (H, W // 2 + 1, C_in, C_out, 2), the
            last dimension real and imaginary part.
        scale: :math:`a`, shape (H, W // 2 + 1), constant.
        backend: ``'fft'``, ``'dft'`` (both transforms as real matrix products:
            no complex tensor anywhere) or None: ``'dft'`` while
            ``torch.compile`` traces, ``'fft'`` otherwise. Defaults to None.

    Returns:
        Tensor: Shape (N, C_out, H, W), the dtype of ``x``.

    Raises:
        ValueError: If the backend is unknown.
    """
    if backend is None:
        backend = 'dft' if torch.compiler.is_compiling() else 'fft'
    if backend not in BACKENDS:
        raise ValueError(
            f'backend={backend!r} is unknown; choose one of {", ".join(BACKENDS)}'
        )
    # A spectrum spans orders of magnitude: transforms of half precision lose it.
    dtype = torch.promote_types(x.dtype, torch.float32)
    filter = _FFTFilter.apply if backend == 'fft' else _dft_filter
    with torch.autocast(x.device.type, enabled=False):
        out = filter(x.to(dtype), weight.to(dtype), scale.to(dtype))
    return out.to(x.dtype)


class _FFTFilter(torch.autograd.Function):
    """One complex matrix product for each frequency, between two real FFTs.

    The adjoint of the filter is the filter with the conjugate transposed
    weight, so the backward pass is one more pass of the same kind instead of
    the full-spectrum transforms that autograd would use.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        spectrum = _to_spectrum(x) * scale[..., None, None]
        ctx.save_for_backward(spectrum, weight, scale)
        ctx.width = x.shape[-1]
        return _from_spectrum(spectrum @ torch.view_as_complex(weight), ctx.width)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        spectrum, weight, scale = ctx.saved_tensors
        grad_spectrum = _to_spectrum(grad)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            adjoint = grad_spectrum @ torch.view_as_complex(weight).mH
            grad_x = _from_spectrum(adjoint * scale[..., None, None], ctx.width)
        if ctx.needs_input_grad[1]:
            # The inner columns of a half spectrum count twice in the output.
            last = (ctx.width + 1) // 2
            grad_spectrum[:, 1:last] *= 2
            grad_weight = torch.view_as_real(spectrum.mH @ grad_spectrum)
        return grad_x, grad_weight, None


def _to_spectrum(x: Tensor) -> Tensor:
    """Half spectrum of (N, C, H, W), frequency-major: (H, W // 2 + 1, N, C)."""
    return torch.fft.rfft2(x, norm='ortho').permute(2, 3, 0, 1).contiguous()


def _from_spectrum(spectrum: Tensor, width: int) -> Tensor:
    """Inverse of :func:`_to_spectrum` for a map of the given width."""
    size = (spectrum.shape[0], width)
    return torch.fft.irfft2(spectrum.permute(2, 3, 0, 1), s=size, norm='ortho')


def _dft_filter(x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """The same filter in real arithmetic: both DFTs are products with cos and sin."""
    height, width = x.shape[-2:]
    cos_w, sin_w = _dft_matrices(width, width // 2 + 1, x)
    cos_h, sin_h = _dft_matrices(height, height, x)
    # Forward: e^{-i w} over the width, then over the height.
    real, imag = x @ cos_w, -(x @ sin_w)
    real, imag = cos_h @ real + sin_h @ imag, cos_h @ imag - sin_h @ real
    # Frequency-major, real next to imaginary part: (H, W // 2 + 1, N, 2 C_in).
    spectrum = torch.cat((real, imag), dim=1).permute(2, 3, 0, 1)
    weight = weight * scale[..., None, None, None]
    weight_real, weight_imag = weight.unbind(-1)
    block = torch.cat(
        (
            torch.cat((weight_real, weight_imag), dim=-1),
            torch.cat((-weight_imag, weight_real), dim=-1),
        ),
        dim=-2,
    )
    real, imag = (spectrum @ block).permute(2, 3, 0, 1).chunk(2, dim=1)
    # Inverse: e^{+i w} over the height, then the real part over the width,
    # where the inner columns stand for their mirror images too.
    real, imag = cos_h @ real - sin_h @ imag, cos_h @ imag + sin_h @ real
    counts = x.new_full((width // 2 + 1,), 2.0)
    counts[0] = 1
    if width % 2 == 0:
        counts[-1] = 1
    return (real * counts) @ cos_w.T - (imag * counts) @ sin_w.T


def _dft_matrices(length: int, frequencies: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Orthonormal cos and sin matrices of shape (length, frequencies)."""
    positions = torch.arange(length, device=like.device)
    # Reduced modulo the length in integers: exact angles for large maps.
    turns = torch.outer(positions, positions[:frequencies]) % length
    angles = turns.double() * (2 * math.pi / length)
    cos, sin = angles.cos(), angles.sin()
    return (cos / length**0.5).to(like), (sin / length**0.5).to(like)
