"""The half spectrum of a map, bin by bin, and its inverse."""

import torch
from torch import Tensor

from famkd.layers.widen import widen

from .compiled import call, works
from .layout import is_channels_last, memory_format


def to_spectrum(x: Tensor, conjugate: bool = False) -> Tensor:
    r"""Orthonormal half spectrum of every plane, :math:`\mathcal{F}(x)`.

    Bin by bin, so that the channels of a bin are multiplied by one matrix. On CPUs a
    C++ kernel transforms as many channels at a time as a SIMD vector has lanes. It
    reads the map in either memory format and in bfloat16, and writes where the bins
    belong: no copy of the map is made. Where it cannot be compiled, and on other
    devices, it is PyTorch's FFT.

    Args:
        x: Map of shape (N, C, H, W). Half precision is computed in float32.
        conjugate: Whether to return the conjugate of it, at no cost on CPUs.
            Defaults to False.

    Returns:
        Tensor: Complex, shape (H * (W // 2 + 1), N, C). PyTorch has no complex numbers
        of bfloat16: of such a map, (H * (W // 2 + 1), N, 2 * C), real and imaginary
        part of a channel one after the other.

    Raises:
        ValueError: If a height or width is 0.
    """
    _check_size(x.shape[2:])
    transform = _to_spectrum if x.is_cpu else _to_spectrum_by_torch
    return transform(x, conjugate)


def from_spectrum(
    bins: Tensor,
    size: tuple[int, int],
    like: Tensor | None = None,
    conjugate: bool = False,
) -> Tensor:
    r"""Inverse of :func:`to_spectrum`, :math:`\mathcal{F}^{-1}`.

    Args:
        bins: Spectrum of the shape and dtype that :func:`to_spectrum` gives.
        size: Height and width (H, W) of the map.
        like: Tensor of the dtype and the memory format that the map is to have.
            Defaults to None (contiguous, of the precision of the bins).
        conjugate: Whether the bins are the conjugates of the spectrum's. Defaults to
            False.

    Returns:
        Tensor: Map of shape (N, C, H, W).

    Raises:
        ValueError: If a height or width is 0.
    """
    _check_size(size)
    dtype = bins.dtype.to_real() if like is None else like.dtype
    channels_last = like is not None and is_channels_last(like)
    transform = _from_spectrum if bins.is_cpu else _from_spectrum_by_torch
    return transform(bins, *size, dtype, channels_last, conjugate)


def _check_size(size: tuple[int, int]) -> None:
    if 0 in size:
        raise ValueError(f'maps of {tuple(size)} have no spectrum')


def _to_spectrum_by_torch(x: Tensor, conjugate: bool) -> Tensor:
    bins = torch.fft.rfft2(widen(x), norm='ortho').permute(2, 3, 0, 1)
    bins = bins.flatten(0, 1).contiguous()
    if conjugate:
        bins.conj_physical_()
    if x.dtype == torch.bfloat16:
        return torch.view_as_real(bins).flatten(2).bfloat16()
    return bins


def _from_spectrum_by_torch(
    bins: Tensor,
    height: int,
    width: int,
    dtype: torch.dtype,
    channels_last: bool,
    conjugate: bool,
) -> Tensor:
    if bins.dtype == torch.bfloat16:
        bins = torch.view_as_complex(bins.float().unflatten(2, (-1, 2)))
    bins = bins.conj() if conjugate else bins
    # irfft2 dimension by dimension: in one it would copy its input first.
    columns = torch.fft.ifft(bins.unflatten(0, (height, -1)), dim=0, norm='ortho')
    rows = columns.permute(2, 3, 0, 1)
    out = torch.fft.irfft(rows, n=width, dim=-1, norm='ortho').to(dtype)
    return out.contiguous(memory_format=memory_format(channels_last))


# Operators, so that tracers see them: they have no data to point at.


@torch.library.custom_op('famkd::to_spectrum', mutates_args=(), device_types='cpu')
def _to_spectrum(x: Tensor, conjugate: bool) -> Tensor:
    if not works():
        return _to_spectrum_by_torch(x, conjugate)
    if x.dtype == torch.float16:  # there is no kernel for it
        x = x.float()
    last = is_channels_last(x)
    bins = _empty_bins(x, conjugate)
    tensors = [x if last else x.contiguous(), bins]
    call('to_spectrum', tensors, [*x.shape, last, conjugate])
    return bins


@_to_spectrum.register_fake
def _empty_bins(x: Tensor, conjugate: bool) -> Tensor:
    images, channels, height, width = x.shape
    bins = height * (width // 2 + 1)
    if x.dtype == torch.bfloat16:
        return x.new_empty((bins, images, 2 * channels))
    dtype = torch.promote_types(x.dtype, torch.float32).to_complex()
    return x.new_empty((bins, images, channels), dtype=dtype)


@torch.library.custom_op('famkd::from_spectrum', mutates_args=(), device_types='cpu')
def _from_spectrum(
    bins: Tensor,
    height: int,
    width: int,
    dtype: torch.dtype,
    channels_last: bool,
    conjugate: bool,
) -> Tensor:
    if not works():
        return _from_spectrum_by_torch(
            bins, height, width, dtype, channels_last, conjugate
        )
    computed = bins.dtype.to_real()
    out = _empty_map(bins, height, width, computed, channels_last, conjugate)
    call(
        'from_spectrum',
        [out, bins.resolve_conj().contiguous()],
        [*out.shape, channels_last, conjugate],
    )
    return out.to(dtype)


@_from_spectrum.register_fake
def _empty_map(
    bins: Tensor,
    height: int,
    width: int,
    dtype: torch.dtype,
    channels_last: bool,
    conjugate: bool,
) -> Tensor:
    images, channels = bins.shape[1:]
    if not bins.is_complex():
        channels //= 2
    shape = (images, channels, height, width)
    layout = memory_format(channels_last)
    return torch.empty(shape, dtype=dtype, device=bins.device, memory_format=layout)
