"""The matrix that every bin of a spectrum is multiplied by, and its gradients."""

import torch
from torch import Tensor

from .compiled import call, works


def filter_matrix(
    weight: Tensor,
    scale: Tensor,
    pointwise: Tensor,
    is_real: bool,
    conjugate: bool = False,
) -> Tensor:
    r"""The filter of each bin, :math:`a P + W`.

    On CPUs a C++ kernel writes it in one pass over the weights. Where it cannot be
    compiled, and on other devices, these are operations of PyTorch.

    Args:
        weight: :math:`P`, shape (bins, C_in, C_out, 2), the last dimension real and
            imaginary part; float32 or float64.
        scale: :math:`a`, shape (bins), of the same dtype.
        pointwise: :math:`W`, real, shape (C_in, C_out), likewise.
        is_real: Whether to return the real matrices of bfloat16 that complex ones
            stand for.
        conjugate: Whether to return the conjugate. Defaults to False.

    Returns:
        Tensor: Complex, shape (bins, C_in, C_out). Or, if ``is_real``, bfloat16, shape
        (bins, 2 * C_in, 2 * C_out): real and imaginary part of a channel are one after
        the other, as in :func:`to_spectrum`.
    """
    form = _filter_matrix if weight.is_cpu else _filter_matrix_by_torch
    return form(weight, scale, pointwise, is_real, conjugate)


def filter_gradients(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Gradients of the operands of :func:`filter_matrix`, not conjugated.

    .. math:: n a G, \quad n \langle G, P \rangle, \quad \sum_k n_k \text{Re}\, G_k

    Args:
        grad: :math:`G`, gradient of the matrix, of its shape and dtype.
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
    weight: Tensor, scale: Tensor, pointwise: Tensor, is_real: bool, conjugate: bool
) -> Tensor:
    real = torch.stack((pointwise, torch.zeros_like(pointwise)), dim=-1)
    filter = torch.addcmul(real, weight, scale.reshape(-1, 1, 1, 1))
    filter = torch.view_as_complex(filter.contiguous())
    if conjugate:
        filter.conj_physical_()
    if not is_real:
        return filter
    # The rows of real parts, and below each that of imaginary parts.
    rows = torch.view_as_real(torch.stack((filter, 1j * filter), dim=2))
    return rows.flatten(3).flatten(1, 2).bfloat16()


def _filter_gradients_by_torch(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    if not grad.is_complex():
        grad = grad.float().unflatten(2, (-1, 2)).unflatten(1, (-1, 2))
        of_real, of_imag = torch.view_as_complex(grad).unbind(2)
        grad = torch.sub(of_real, of_imag, alpha=1j)
    grad = torch.view_as_real(grad)
    grad_scale = counts * (grad * weight).sum((1, 2, 3))
    grad_pointwise = torch.tensordot(counts, grad[..., 0], 1)
    return grad * (counts * scale).view(-1, 1, 1, 1), grad_scale, grad_pointwise


# Operators, so that tracers see them: they have no data to point at.


@torch.library.custom_op('famkd::filter_matrix', mutates_args=(), device_types='cpu')
def _filter_matrix(
    weight: Tensor, scale: Tensor, pointwise: Tensor, is_real: bool, conjugate: bool
) -> Tensor:
    if not works():
        return _filter_matrix_by_torch(weight, scale, pointwise, is_real, conjugate)
    operands = [x.contiguous() for x in (weight, scale, pointwise)]
    matrix = _empty_matrix(*operands, is_real, conjugate)
    call('filter_matrix', [matrix, *operands], [*weight.shape[:3], conjugate])
    return matrix


@_filter_matrix.register_fake
def _empty_matrix(
    weight: Tensor, scale: Tensor, pointwise: Tensor, is_real: bool, conjugate: bool
) -> Tensor:
    bins, rows, columns = weight.shape[:3]
    if is_real:
        return weight.new_empty((bins, 2 * rows, 2 * columns), dtype=torch.bfloat16)
    return weight.new_empty((bins, rows, columns), dtype=weight.dtype.to_complex())


@torch.library.custom_op('famkd::filter_gradients', mutates_args=(), device_types='cpu')
def _filter_gradients(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    if not works():
        return _filter_gradients_by_torch(grad, weight, scale, counts)
    operands = [x.contiguous() for x in (grad, weight, scale, counts)]
    grad_weight, grad_scale, _ = _empty_gradients(*operands)
    # Of some bins each, in an order of sums that no thread count changes.
    chunk = 8
    sums = weight.new_empty(-(-len(weight) // chunk), *weight.shape[1:])
    tensors = [*operands, grad_weight, grad_scale, sums]
    call('filter_gradients', tensors, [*weight.shape[:3], chunk])
    return grad_weight, grad_scale, sums[..., 0].sum(0)


@_filter_gradients.register_fake
def _empty_gradients(
    grad: Tensor, weight: Tensor, scale: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    shapes = (weight.shape, scale.shape, weight.shape[1:3])
    return tuple(weight.new_empty(shape) for shape in shapes)
