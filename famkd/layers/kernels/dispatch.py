"""The public window attention function, and which backend computes it."""

import functools
import logging
import os

import torch
from torch import Tensor

from . import compiled, op, reference

BACKENDS = ('reference', 'cpu', 'triton')
ENV_VARIABLE = 'FAMKD_ATTENTION'

logger = logging.getLogger('famkd')


def window_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor,
    backend: str | None = None,
) -> Tensor:
    r"""Attention of each position over its 3x3 window, channel by channel.

    .. math::
        \text{out}_i = \sum_{ab} \operatorname{softmax}_{ab}\big(
        q_i (k_{i+ab} + r_{ab})\big) \, v_{i+ab}, \qquad a, b \in \{-1, 0, 1\}

    Outside the map k and v are zero; these neighbours take part in the softmax,
    with their r.

    The kernels keep no tensor of 9 times the size of the input: their backward
    recomputes the softmax. They have first derivatives only. In half precision
    the softmax is computed in float32.

    Args:
        query: q, (N, C, H, W).
        key: k, of the same shape, dtype and device as ``query``.
        value: v, likewise.
        bias: r, (C, 3, 3): for each channel, rows a and columns b of the window.
        backend: ``'cpu'`` (C++, compiled on first use), ``'triton'`` (CUDA),
            ``'reference'`` (unfolding; slow, any device, any derivative), or
            None: what the environment variable ``FAMKD_ATTENTION`` names, else
            the fastest that works here. The choice is logged once.

    Returns:
        (N, C, H, W), in the dtype of ``query``.

    Raises:
        ValueError: If shapes, dtypes or devices do not match, or the backend is
            unknown or not for this device.
        RuntimeError: If the backend asked for cannot be compiled.
    """
    _check_inputs(query, key, value, bias)
    backend = choose_backend(query.device.type, backend)
    if backend == 'reference':
        return reference.window_attention(query, key, value, bias)
    dtype = query.dtype
    if backend == 'cpu' and dtype.itemsize < 4:
        query, key, value = query.float(), key.float(), value.float()
    bias = bias.to(torch.promote_types(query.dtype, torch.float32))
    return op.window_attention(query, key, value, bias, backend).to(dtype)


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
def choose_backend(device: str, backend: str | None) -> str:
    """The backend for tensors on a device type, see :func:`window_attention`."""
    origin = 'backend'
    if backend is None:
        origin = f'environment variable {ENV_VARIABLE}'
        backend = os.environ.get(ENV_VARIABLE)
    if not backend:
        return _fastest_backend(device)
    if backend not in BACKENDS:
        raise ValueError(
            f'{origin} = {backend!r} is unknown; use one of {", ".join(BACKENDS)}'
        )
    if backend != 'reference':
        op.load_kernels(backend).check(device)
    _log(backend)
    return backend


@functools.cache
def _fastest_backend(device: str) -> str:
    backend = {'cpu': 'cpu', 'cuda': 'triton'}.get(device, 'reference')
    if backend != 'reference':
        try:
            op.load_kernels(backend).check(device)
        except (ImportError, RuntimeError) as error:
            compiled.warn_of_fallback(str(error))
            backend = 'reference'
    _log(backend)
    return backend


@functools.cache
def _log(backend: str) -> None:
    logger.info('famkd: window attention uses the %s backend', backend)
