"""Channel mixing at every frequency of a real map, on the half spectrum."""

import math

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from .kernels.filter_matrix import filter_gradients, filter_matrix
from .kernels.spectrum import from_spectrum, to_spectrum


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
    width = mask.shape[1]
    scale = ((mask**2 + mirror(mask) ** 2) / 4).sqrt()[:, : width // 2 + 1]
    scale[:, 0] *= math.sqrt(2)
    if width % 2 == 0:
        scale[:, -1] *= math.sqrt(2)
    return scale


def mirror(spectrum: Tensor) -> Tensor:
    """X(-k) over the last two dimensions, in FFT order."""
    return spectrum.flip(-2, -1).roll((1, 1), (-2, -1))


def frequency_filter(
    x: Tensor,
    weight: Tensor,
    scale: Tensor,
    pointwise: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    r"""Filters the half spectrum of a map, mixing its channels at every frequency.

    .. math:: \mathcal{F}^{-1}\big(\textstyle\sum_i (a P_{io} + W_{io})
        \mathcal{F}(x_i)\big) + b_o

    A 1x1 convolution :math:`W x + b` is the same product at every frequency, so
    it rides along in the filter at next to no cost.

    Args:
        x: Map of shape (N, C_in, H, W). Half precision is computed in float32, but for
            the product of a bfloat16 map: its operands, among them :math:`a P + W`,
            are rounded to bfloat16, as those of a convolution under autocast, and so
            are its gradients.
        weight: :math:`P`, real, shape (H, W // 2 + 1, C_in, C_out, 2), the
            last dimension real and imaginary part.
        scale: :math:`a`, shape (H, W // 2 + 1).
        pointwise: :math:`W`, shape (C_in, C_out). Defaults to None (zero).
        bias: :math:`b`, shape (C_out). Defaults to None (zero).

    Returns:
        Tensor: Shape (N, C_out, H, W), the dtype of ``x``.

    Raises:
        ValueError: If a shape is another one.
    """
    _check_shapes(x, weight, scale, pointwise, bias)
    # A spectrum spans orders of magnitude: transforms of half precision lose it, and
    # float16 does not hold it. Rounded to bfloat16, every bin keeps 8 bits of its own.
    dtype = torch.promote_types(x.dtype, torch.float32)
    if pointwise is None:
        pointwise = weight.new_zeros(weight.shape[2:4])
    operands = (weight.flatten(0, 1), scale.flatten(), pointwise, bias)
    with torch.autocast(x.device.type, enabled=False):
        operands = (None if t is None else t.to(dtype) for t in operands)
        return _FrequencyFilter.apply(x, *operands)


def _check_shapes(
    x: Tensor,
    weight: Tensor,
    scale: Tensor,
    pointwise: Tensor | None,
    bias: Tensor | None,
) -> None:
    """Checks what a kernel would read without a look at its size."""
    bins, channels = (x.shape[2], x.shape[3] // 2 + 1), (x.shape[1], *weight.shape[3:4])
    expected = dict(
        weight=(*bins, *channels, 2),
        scale=bins,
        pointwise=channels,
        bias=channels[1:],
    )
    given = dict(weight=weight, scale=scale, pointwise=pointwise, bias=bias)
    for name, shape in expected.items():
        if given[name] is not None and given[name].shape != shape:
            raise ValueError(
                f'{name} must be {shape} for a map {tuple(x.shape)}, got '
                f'{tuple(given[name].shape)}'
            )


class _FrequencyFilter(torch.autograd.Function):
    """One complex matrix product for each frequency, between two real FFTs.

    The adjoint of the filter is the filter with the conjugate transposed
    weight, so the backward pass is one more pass of the same kind instead of
    the full-spectrum transforms that autograd would use.

    PyTorch has no complex numbers of bfloat16. There the product is a real one of
    twice the size, with real and imaginary parts as rows and columns: a third of the
    time of the complex one on a CPU with instructions for bfloat16.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        x: Tensor,
        weight: Tensor,
        scale: Tensor,
        pointwise: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        ctx.size = x.shape[-2:]
        bfloat16 = x.dtype == torch.bfloat16
        # The adjoint of a complex product needs conjugates, and bmm copies what conj()
        # gives.
        conjugate = not bfloat16
        spectrum = to_spectrum(x, conjugate)
        matrix = filter_matrix(weight, scale, pointwise, bfloat16, conjugate)
        out = torch.bmm(spectrum, matrix)
        ctx.save_for_backward(spectrum, matrix, weight, scale)
        if bias is not None:
            # A constant is its bin 0, sqrt(H W) times as large.
            _real_part(out[0]).add_(bias * math.sqrt(math.prod(ctx.size)))
        return from_spectrum(out, ctx.size, like=x, conjugate=conjugate)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        spectrum, matrix, weight, scale = ctx.saved_tensors
        needs_x, needs_weight, needs_scale, needs_pointwise, needs_bias = (
            ctx.needs_input_grad
        )
        grad_x = grad_weight = grad_scale = grad_pointwise = grad_bias = None
        grad_bins = to_spectrum(grad)
        if needs_x:
            filtered = torch.bmm(grad_bins, matrix.mT)
            grad_x = from_spectrum(filtered, ctx.size, like=grad)
        if needs_bias:
            grad_bias = _real_part(grad_bins[0]).sum(0, dtype=scale.dtype)
            grad_bias *= math.sqrt(math.prod(ctx.size))
        if needs_weight or needs_scale or needs_pointwise:
            grad_matrix = torch.bmm(spectrum.mT, grad_bins)
            height, width = ctx.size
            # The inner columns of a half spectrum count twice in the output.
            counts = scale.new_ones(height, width // 2 + 1)
            counts[:, 1 : (width + 1) // 2] = 2
            grad_weight, grad_scale, grad_pointwise = filter_gradients(
                grad_matrix, weight, scale, counts.flatten()
            )
        return grad_x, grad_weight, grad_scale, grad_pointwise, grad_bias


def _real_part(bins: Tensor) -> Tensor:
    """Real parts of the channels of a bin."""
    return bins.real if bins.is_complex() else bins[..., ::2]


def unfold_spectrum(half: Tensor, size: tuple[int, int]) -> Tensor:
    """All bins, shape (..., H, W), of a half spectrum for maps of the given size.

    Of its self-conjugate columns, the Hermitian part counts.
    """
    # Through real space, where the symmetry of an inverse DFT is automatic.
    return torch.fft.fft2(torch.fft.irfft2(half, s=size))


def inverse_rfft2(spectrum: Tensor, size: tuple[int, int]) -> Tensor:
    """``irfft2`` of an orthonormal half spectrum for maps of the given size."""
    # In two steps: in one it would copy its input first.
    columns = torch.fft.ifft(spectrum, dim=-2, norm='ortho')
    return torch.fft.irfft(columns, n=size[1], dim=-1, norm='ortho')
