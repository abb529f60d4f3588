"""The matrix that every bin of a spectrum is multiplied by, and its gradients."""

import torch
from torch import Tensor

from .compiled import call, works

# Bins whose gradients are summed up by one thread: few, since the sums are as large as
# a bin, and enough to make them a small part of all bins.
CHUNK = 8


def filter_matrix(
    weight: Tensor,
    scale: Tensor,
    pointwise: Tensor,
    bfloat16: bool = False,
    conjugate: bool = False,
) -> Tensor:
    r"""The filter of each bin, :math:`a P + W`.

    On CPUs a C++ kernel writes it in one pass over the weights. Where it cannot be
    compiled, and on other devices, these are operations of PyTorch.

    Args:
        weight: :math:`P`, shape (bins, C_in, C_out, 2), the last dimension real and
            imaginary part; float32, or float64 without ``bfloat16``.
        scale: :math:`a`, shape (bins), of the same dtype.
        pointwise: :math:`W`, real, shape (C_in, C_out), likewise.
        bfloat16: Whether to return real matrices of bfloat16 that stand for the complex
            ones. Defaults to False.
        conjugate: Whether to return the conjugate, of complex ones. Defaults to False.

    Returns:
        Tensor: Complex, shape (bins, C_in, C_out). Or of bfloat16, shape
        (bins, 2 * C_in, 2 * C_out): real and imaginary part of a channel are one after
        the other, as in :func:`to_spectrum`.
    """
    form = _filter_matrix if weight.is_cpu else _filter_matrix_by_torch
    return form(weight, scale, pointwise, bfloat16, conjugate)


def filter_gradients(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Gradients of the operands of :func:`filter_matrix`, not conjugated.

    .. math:: n a G, \quad n \langle G, P \rangle, \quad \sum_k n_k \text{Re}\, G_k

    Args:
        grad: :math:`G`, gradient of the matrix, of its shape and dtype. May be
            overwritten.
        weight: :math:`P`, as for :func:`filter_matrix`.
        scale: :math:`a`, likewise.
        counts: :math:`n`, how many bins of the whole spectrum a bin stands for: shape
            (bins), the dtype of ``scale``.

    Returns:
        tuple: The gradients of ``weight``, ``scale`` and ``pointwise``.
    """
    form = _filter_gradients if weight.is_cpu else _filter_gradients_by_torch
    return form(grad, weight, scale, counts)


def _filter_matrix_by_torch(
    weight: Tensor, scale: Tensor, pointwise: Tensor, bfloat16: bool, conjugate: bool
) -> Tensor:
    pointwise = torch.stack((pointwise, torch.zeros_like(pointwise)), dim=-1)
    filter = torch.addcmul(pointwise, weight, scale.reshape(-1, 1, 1, 1))
    if bfloat16:
        real, imag = filter.unbind(-1)
        below = torch.stack((-imag, real), dim=-1)  # each row of real parts
        rows = torch.stack((filter, below), dim=2)
        return rows.flatten(3).flatten(1, 2).bfloat16()
    filter = torch.view_as_complex(filter.contiguous())
    return filter.conj_physical_() if conjugate else filter


def _filter_gradients_by_torch(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    grad = torch.view_as_real(grad if grad.is_complex() else _complex_gradient(grad))
    # Sums by BLAS, which is several times faster than sum().
    grad_pointwise = (counts @ grad.flatten(1)).view(grad.shape[1:])[..., 0]
    products = torch.bmm(grad.flatten(1)[:, None], weight.flatten(1)[..., None])
    grad_scale = counts * products.flatten()
    return grad.mul_((counts * scale).view(-1, 1, 1, 1)), grad_scale, grad_pointwise


def _complex_gradient(grad: Tensor) -> Tensor:
    """The gradient of complex matrices by that of the real ones, in float32."""
    grad = grad.float().unflatten(2, (-1, 2)).unflatten(1, (-1, 2))
    of_real, of_imag = torch.view_as_complex(grad).unbind(2)
    return torch.sub(of_real, of_imag, alpha=1j)


# Operators, so that tracers see them: they have no data to point at.


@torch.library.custom_op('famkd::filter_matrix', mutates_args=(), device_types='cpu')
def _filter_matrix(
    weight: Tensor, scale: Tensor, pointwise: Tensor, bfloat16: bool, conjugate: bool
) -> Tensor:
    if not works():
        return _filter_matrix_by_torch(weight, scale, pointwise, bfloat16, conjugate)
    operands = [x.contiguous() for x in (weight, scale, pointwise)]
    matrix = _empty_matrix(*operands, bfloat16, conjugate)
    numbers = matrix if bfloat16 else torch.view_as_real(matrix)
    call('filter_matrix', [numbers, *operands], [*weight.shape[:3], conjugate])
    return matrix


@_filter_matrix.register_fake
def _empty_matrix(
    weight: Tensor, scale: Tensor, pointwise: Tensor, bfloat16: bool, conjugate: bool
) -> Tensor:
    bins, rows, columns = weight.shape[:3]
    if bfloat16:
        return weight.new_empty((bins, 2 * rows, 2 * columns), dtype=torch.bfloat16)
    return weight.new_empty((bins, rows, columns), dtype=weight.dtype.to_complex())


@torch.library.custom_op('famkd::filter_gradients', mutates_args=(), device_types='cpu')
def _filter_gradients(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    if not works():
        return _filter_gradients_by_torch(grad.clone(), weight, scale, counts)
    grad = torch.view_as_real(grad) if grad.is_complex() else grad
    operands = [x.contiguous() for x in (grad, weight, scale, counts)]
    outputs = [torch.empty_like(x) for x in operands[1:3]]
    sums = weight.new_empty(-(-len(weight) // CHUNK), *weight.shape[1:])
    sizes = [*weight.shape[:3], CHUNK]
    call('filter_gradients', [*operands, *outputs, sums], sizes)
    return *outputs, sums[..., 0].sum(0)


@_filter_gradients.register_fake
def _(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    shapes = (weight.shape, scale.shape, weight.shape[1:3])
    return tuple(weight.new_empty(shape) for shape in shapes)
