"""The sum of two maps, each times a gate that is made of both."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn.functional import conv2d, conv_transpose2d

from .compiled import call, works
from .layout import empty_map, in_one_format, is_channels_last

# Places whose gradients of the weights are summed up by one thread.
CHUNK = 1024


def gated_sum(a: Tensor, b: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r"""The sum of two maps, each times a gate.

    .. math::
        z = \sigma(W [a, b] + w), \quad \text{out} = z_0 \, a + z_1 \, b

    On CPUs a C++ kernel computes it in one pass over the maps, in float32 at least, and
    its gradients in another; it keeps the maps only. Other devices, and float16, use
    operations of PyTorch. There are first and second derivatives.

    Args:
        a: Map (N, C, H, W).
        b: Map of the same shape; if the dtypes differ, the wider one counts.
        weight: W, the weight (2, 2 C, 1, 1) of a convolution.
        bias: w, shape (2).

    Returns:
        Tensor: Shape (N, C, H, W), the memory format of ``a``.

    Raises:
        ValueError: If a shape is another one, or a map not of floating-point numbers.
    """
    shapes = [tuple(x.shape) for x in (a, b, weight, bias)]
    channels = a.shape[1] if a.dim() == 4 else None
    if channels is None or shapes[1:] != [shapes[0], (2, 2 * channels, 1, 1), (2,)]:
        raise ValueError(
            'shapes must be (N, C, H, W) twice, (2, 2 C, 1, 1) and (2,), got '
            + ', '.join(map(str, shapes))
        )
    dtype = torch.promote_types(a.dtype, b.dtype)
    if not dtype.is_floating_point:
        raise ValueError(f'maps must be of floating-point numbers, got {dtype}')
    on_cpu = all(x.is_cpu for x in (a, b, weight, bias))
    if not on_cpu or dtype == torch.float16:
        return _by_torch(a, b, weight, bias)
    gates = torch.cat((weight.flatten(1), bias[:, None]), dim=1)
    gates = gates.to(torch.promote_types(dtype, torch.float32))
    return _GatedSum.apply(a.to(dtype), b.to(dtype), gates)


def _by_torch(a: Tensor, b: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    z = conv2d(torch.cat((a, b), dim=1), weight, bias).sigmoid()
    return a * z[:, :1] + b * z[:, 1:]


# From here on, weight and bias are one, ``gates`` (2, 2 C + 1), in the dtype that is
# computed in.


class _GatedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, a: Tensor, b: Tensor, gates: Tensor) -> Tensor:
        ctx.save_for_backward(a, b, gates)
        return _gated_sum(a, b, gates)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, ...]:
        # Operations of PyTorch can be differentiated again.
        again = torch.is_grad_enabled()
        gradients = _gradients_by_torch if again else _gated_sum_backward
        return gradients(grad, *ctx.saved_tensors)


@torch.autocast('cpu', enabled=False)
def _wide_by_torch(a: Tensor, b: Tensor, gates: Tensor) -> Tensor:
    maps = (x.to(gates.dtype) for x in (a, b))
    return _by_torch(*maps, gates[:, :-1, None, None], gates[:, -1])


@torch.autocast('cpu', enabled=False)
def _gradients_by_torch(
    grad: Tensor, a: Tensor, b: Tensor, gates: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    dtype = a.dtype
    grad, a, b = (x.to(gates.dtype) for x in (grad, a, b))
    maps, weight = torch.cat((a, b), dim=1), gates[:, :-1, None, None]
    z = conv2d(maps, weight, gates[:, -1]).sigmoid()
    products = torch.stack(((grad * a).sum(1), (grad * b).sum(1)), dim=1)
    slope = products * z * (1 - z)
    of_maps = conv_transpose2d(slope, weight)
    of_weight = torch.einsum('nkhw, nchw -> kc', slope, maps)
    of_bias = slope.sum((0, 2, 3))
    return (
        (grad * z[:, :1] + of_maps[:, : a.shape[1]]).to(dtype),
        (grad * z[:, 1:] + of_maps[:, a.shape[1] :]).to(dtype),
        torch.cat((of_weight, of_bias[:, None]), dim=1),
    )


# Operators, so that tracers see them: they have no data to point at.


@torch.library.custom_op('famkd::gated_sum', mutates_args=(), device_types='cpu')
def _gated_sum(a: Tensor, b: Tensor, gates: Tensor) -> Tensor:
    if not works():
        return empty_map(a).copy_(_wide_by_torch(a, b, gates))
    maps = in_one_format(a, b)
    out = torch.empty_like(maps[0])
    call('gated_sum', [*maps, gates.contiguous(), out], _sizes(a))
    return out


@torch.library.custom_op(
    'famkd::gated_sum_backward', mutates_args=(), device_types='cpu'
)
def _gated_sum_backward(
    grad: Tensor, a: Tensor, b: Tensor, gates: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    if not works():
        return _gradients_by_torch(grad, a, b, gates)
    a_, b_, grad_ = in_one_format(a, b, grad)
    grads = [torch.empty_like(a_) for _ in range(2)]
    sizes = _sizes(a)
    batch, _, places = sizes[:3]
    sums = gates.new_empty(batch * -(-places // CHUNK), *gates.shape)
    call('gated_sum_backward', [grad_, a_, b_, gates.contiguous(), *grads, sums], sizes)
    return *grads, sums.sum(0)


def _sizes(a: Tensor) -> list[int]:
    batch, channels, height, width = a.shape
    return [batch, channels, height * width, CHUNK, is_channels_last(a)]


@_gated_sum.register_fake
def _(a: Tensor, b: Tensor, gates: Tensor) -> Tensor:
    return empty_map(a)


@_gated_sum_backward.register_fake
def _(
    grad: Tensor, a: Tensor, b: Tensor, gates: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return empty_map(a), empty_map(a), torch.empty_like(gates)
