"""One filter for each channel of a real map, of any size, on the half spectrum."""

import math

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from .frequency_filter import inverse_rfft2, unfold_spectrum
from .widen import widen


def depthwise_filter(x: Tensor, filter: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""Filters every channel: :math:`\mathcal{F}^{-1}(V_c \mathcal{F}(x_c)) + b_c`.

    Args:
        x: Map of shape (N, C, H, W). Half precision is computed in float32.
        filter: :math:`V`, complex, shape (C, H, W // 2 + 1), in FFT order.
        bias: :math:`b`, shape (C). Defaults to None (zero).

    Returns:
        Tensor: Shape (N, C, H, W), the dtype of ``x``.
    """
    return _DepthwiseFilter.apply(widen(x), filter, bias).to(x.dtype)


class _DepthwiseFilter(torch.autograd.Function):
    """An elementwise product between two real FFTs.

    The adjoint of the filter is the filter with the conjugate weight, so that the
    backward pass is one more pass of the same kind.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, filter: Tensor, bias: Tensor | None
    ) -> Tensor:
        size = x.shape[-2:]
        spectrum = torch.fft.rfft2(x, norm='ortho')
        ctx.save_for_backward(spectrum, filter)
        out = spectrum * filter
        if bias is not None:
            # A constant is its bin 0, sqrt(H W) times as large.
            out[..., 0, 0] += bias * math.sqrt(math.prod(size))
        return inverse_rfft2(out, size)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        spectrum, filter = ctx.saved_tensors
        size = grad.shape[-2:]
        needs_x, needs_filter, needs_bias = ctx.needs_input_grad
        grad_x = grad_filter = grad_bias = None
        grad = torch.fft.rfft2(grad, norm='ortho')
        if needs_bias:
            grad_bias = grad[..., 0, 0].real.sum(0) * math.sqrt(math.prod(size))
        if needs_x:
            grad_x = inverse_rfft2(grad * filter.conj(), size)
        if needs_filter:
            # In place: this is as large as the map.
            grad_filter = grad.conj_physical_().mul_(spectrum).sum(0).conj_physical_()
            # The inner columns of a half spectrum count twice in the output.
            grad_filter[..., 1 : (size[1] + 1) // 2] *= 2
        return grad_x, grad_filter, grad_bias


def resample_spectrum(
    half: Tensor, base: tuple[int, int], size: tuple[int, int]
) -> Tensor:
    """A filter given on one grid of frequencies, at another.

    Bilinear interpolation over normalised frequencies (cycles per pixel), along
    which a spectrum is periodic: bin 0 stays bin 0, the Nyquist frequency of an even
    length stays the Nyquist frequency, and V(-f) stays conj(V(f)).

    Args:
        half: Complex half spectrum of shape (C, h0, w0 // 2 + 1), in FFT order.
            Of its self-conjugate columns, the Hermitian part counts.
        base: Height and width (h0, w0) of the maps that it belongs to.
        size: Height and width (H, W) of the maps to filter.

    Returns:
        Tensor: Complex half spectrum of shape (C, H, W // 2 + 1), at the base size
        the same filter.
    """
    full = torch.view_as_real(unfold_spectrum(half, base))
    width = size[1] // 2 + 1
    columns = _interpolation(base[1], size[1], full)[:width]
    rows = _interpolation(base[0], size[0], full)
    # The small axis first: what is left for the large one is a plain product.
    wide = (columns @ full).flatten(2)
    return torch.view_as_complex((rows @ wide).unflatten(2, (width, 2)))


def _interpolation(base: int, length: int, like: Tensor) -> Tensor:
    """Matrix (length, base) that interpolates linearly around a circle."""
    position = torch.arange(length, device=like.device) * base
    lower = position.div(length, rounding_mode='floor')[:, None]
    share = (position % length / length).to(like)[:, None]
    bins = torch.arange(base, device=like.device)
    return (bins == lower) * (1 - share) + (bins == (lower + 1) % base) * share
