"""Window attention: a PyTorch operator with a kernel for each type of device."""

import functools
import logging

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from . import compiled, reference
from .layout import empty_map, in_one_format, is_channels_last, memory_format

logger = logging.getLogger('famkd')


def window_attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    r"""Attention of each position over its 3x3 window, channel by channel.

    .. math::
        \text{out}_i = \sum_{ab} \operatorname{softmax}_{ab}\big(
        q_i (k_{i+ab} + r_{ab})\big) \, v_{i+ab}, \qquad a, b \in \{-1, 0, 1\}

    Outside the map k and v are zero; these neighbours take part in the softmax,
    with their r.

    On CPUs a C++ kernel computes it, compiled on first use, on CUDA devices Triton.
    They keep no tensor of 9 times the size of the input (the backward pass computes
    the softmax again) and have first derivatives only. Other devices, and machines
    on which a kernel cannot be compiled, use the slow
    :func:`famkd.layers.kernels.reference.window_attention`. The logger ``famkd`` says
    once which it is. In half precision the softmax is computed in float32.

    Args:
        query: q, (N, C, H, W).
        key: k, of the same shape, dtype and device as ``query``.
        value: v, likewise.
        bias: r, (C, 3, 3): for each channel, rows a and columns b of the window.

    Returns:
        Tensor: Shape (N, C, H, W), the dtype of ``query``.

    Raises:
        ValueError: If shapes, dtypes or devices do not match.
    """
    _check_inputs(query, key, value, bias)
    bias = bias.to(torch.promote_types(query.dtype, torch.float32))
    attend = forward if _has_kernel(query.device.type) else reference.window_attention
    return attend(query, key, value, bias)


def _check_inputs(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> None:
    if query.dim() != 4 or not query.is_floating_point():
        raise ValueError(
            'query must be a real floating-point tensor (N, C, H, W), got '
            f'{query.dtype} {tuple(query.shape)}'
        )
    for name, x in (('key', key), ('value', value)):
        if x.shape != query.shape or x.dtype != query.dtype:
            raise ValueError(
                f'{name} must have the shape and dtype of query, '
                f'{tuple(query.shape)} {query.dtype}, got {tuple(x.shape)} {x.dtype}'
            )
    if bias.shape != (query.shape[1], 3, 3):
        raise ValueError(
            f'bias must be (C, 3, 3) = {(query.shape[1], 3, 3)}, '
            f'got {tuple(bias.shape)}'
        )
    for name, x in (('key', key), ('value', value), ('bias', bias)):
        if x.device != query.device:
            raise ValueError(
                f'{name} is on {x.device} but query is on {query.device}; '
                'move them to one device'
            )


@torch.compiler.assume_constant_result
def _has_kernel(device: str) -> bool:
    return _find_kernel(device)


@functools.cache
def _find_kernel(device: str) -> bool:
    """Whether there is a kernel for a type of device, and it can be compiled."""
    checks = {'cpu': compiled.works, 'cuda': _triton_works}
    found = device in checks and checks[device]()
    form = f'{device} kernel' if found else 'slow reference form'
    logger.info('famkd: window attention uses the %s', form)
    return found


def _triton_works() -> bool:
    try:
        from .triton import try_to_compile

        try_to_compile()
    except (ImportError, RuntimeError) as error:
        compiled.warn_of_fallback(error)
        return False
    return True


# The operators. Maps of half precision come with a bias of float32: the dtype of the
# bias is that in which everything is computed.


@torch.library.custom_op('famkd::window_attention', mutates_args=(), device_types='cpu')
def forward(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """The output of window attention, in the memory format of the query."""
    maps = _as_query(query, key, value)
    out = torch.empty_like(maps[0])
    sizes = [*query.shape, is_channels_last(query)]
    compiled.call('forward', [*maps, bias.contiguous(), out], sizes)
    return out.to(query.dtype)


@torch.library.custom_op(
    'famkd::window_attention_backward', mutates_args=(), device_types='cpu'
)
def backward(
    grad_out: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of query, key, value and bias."""
    query_, key_, value_, grad = _as_query(query, key, value, grad_out)
    grads = [torch.empty_like(query_) for _ in range(3)]
    # Summed over the batch here, in an order that no thread count changes.
    grad_bias = bias.new_empty(len(query), *bias.shape)
    tensors = [grad, query_, key_, value_, bias.contiguous(), *grads, grad_bias]
    compiled.call('backward', tensors, [*query.shape, is_channels_last(query)])
    return *(x.to(query.dtype) for x in grads), grad_bias.sum(0)


def _as_query(query: Tensor, *maps: Tensor) -> list[Tensor]:
    """The maps in one memory format, as the C++ kernels take them."""
    return in_one_format(
        query.float() if query.dtype == torch.float16 else query, *maps
    )


@forward.register_kernel('cuda')
def forward_cuda(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """The output by Triton."""
    from . import triton

    layout = memory_format(is_channels_last(query))
    maps = (x.contiguous(memory_format=layout) for x in (query, key, value))
    return triton.forward(*maps, bias.contiguous())


@backward.register_kernel('cuda')
def backward_cuda(
    grad_out: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients by Triton."""
    from . import triton

    layout = memory_format(is_channels_last(query))
    maps = (x.contiguous(memory_format=layout) for x in (grad_out, query, key, value))
    return triton.backward(*maps, bias.contiguous())


@forward.register_fake
def _(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    return empty_map(query)


@backward.register_fake
def _(
    grad_out: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return *(empty_map(query) for _ in range(3)), bias.new_empty(bias.shape)


def _save_inputs(ctx: FunctionCtx, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)  # No more: the backward computes the softmax again.


def _gradients(ctx: FunctionCtx, grad_out: Tensor) -> tuple[Tensor, ...]:
    return backward(grad_out, *ctx.saved_tensors)


def _no_second_derivative(ctx: FunctionCtx, *grads: Tensor) -> None:
    raise RuntimeError(
        'the window attention kernels have first derivatives only; for higher ones '
        'use famkd.layers.kernels.reference.window_attention'
    )


forward.register_autograd(_gradients, setup_context=_save_inputs)
backward.register_autograd(_no_second_derivative)
