"""Window attention in Triton, for CUDA and for Triton's interpreter on the CPU."""

import functools

import torch
import triton
import triton.language as tl
from torch import Tensor


def check(device: str) -> None:
    """Raise ValueError if not for this device, RuntimeError if it cannot compile."""
    if triton.knobs.runtime.interpret:
        return
    if device != 'cuda':
        raise ValueError(
            "window attention backend 'triton' needs tensors on a CUDA device "
            f'(or TRITON_INTERPRET=1 before the start), got {device}'
        )
    _try_to_compile()


@functools.cache
def _try_to_compile() -> None:
    x = torch.zeros(1, 1, 1, 1, device='cuda')
    try:
        forward(x, x, x, torch.zeros(1, 3, 3, device='cuda'))
    except Exception as error:
        raise RuntimeError(f'Triton cannot compile here: {error}') from error


def forward(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """The output, and per position the logarithm (base 2) of the sum of exponentials.

    The tensors are all contiguous or all channels-last; computed in the dtype of
    ``bias``.
    """
    out = torch.empty_like(query)
    lse = torch.empty_like(query, dtype=bias.dtype)
    grid, sizes = _tiles(query)
    with torch.cuda.device_of(query):
        _forward[grid](query, key, value, bias.contiguous(), out, lse, **sizes)
    return out, lse


def backward(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor,
    out: Tensor,
    lse: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of query, key, value and bias."""
    grads = [torch.empty_like(query) for _ in range(3)]
    grid, sizes = _tiles(query)
    # each program its own sums, added up in a fixed order: no atomics
    grad_bias = bias.new_empty(grid[0] // sizes['c_blocks'], *bias.shape)
    with torch.cuda.device_of(query):
        _backward[grid](
            grad_out, query, key, value, bias.contiguous(), out, lse, *grads,
            grad_bias, **sizes,
        )  # fmt: skip
    return *grads, grad_bias.sum(0)


def _tiles(query: Tensor) -> tuple[tuple[int], dict[str, int]]:
    """The grid and the constants of the kernels: programs take (BLOCK_P, BLOCK_C)."""
    n, c, h, w = query.shape
    if query.is_contiguous():
        stride_c, stride_p = h * w, 1
        block_p = min(256, triton.next_power_of_2(h * w))
        block_c = min(256 // block_p, triton.next_power_of_2(c))
    else:  # channels last
        stride_c, stride_p = 1, c
        block_c = min(32, triton.next_power_of_2(c))
        block_p = min(512 // block_c, triton.next_power_of_2(h * w))
    p_blocks, c_blocks = triton.cdiv(h * w, block_p), triton.cdiv(c, block_c)
    return (n * p_blocks * c_blocks,), {
        'C': c, 'H': h, 'W': w, 'stride_c': stride_c, 'stride_p': stride_p,
        'p_blocks': p_blocks, 'c_blocks': c_blocks,
        'BLOCK_P': block_p, 'BLOCK_C': block_c,
    }  # fmt: skip


@triton.jit
def _tile(C, H, W, stride_c, stride_p, p_blocks, c_blocks, BLOCK_P, BLOCK_C):
    """Positions, channels, memory offsets and validity of this program's tile."""
    program = tl.program_id(0)
    c = program % c_blocks * BLOCK_C + tl.arange(0, BLOCK_C)[None, :]
    block = program // c_blocks
    p = block % p_blocks * BLOCK_P + tl.arange(0, BLOCK_P)[:, None]
    image = (block // p_blocks).to(tl.int64) * C * H * W
    return p, c, image + p * stride_p + c * stride_c, (p < H * W) & (c < C)


@triton.jit
def _exists(p, H, W, a, b):
    """Whether the map has a position a rows below and b columns right of p."""
    y = p // W + a
    x = p % W + b
    return (y >= 0) & (y < H) & (x >= 0) & (x < W)


@triton.jit
def _forward(
    query_ptr, key_ptr, value_ptr, bias_ptr, out_ptr, lse_ptr,
    C, H, W, stride_c, stride_p, p_blocks, c_blocks,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    p, c, i, inside = _tile(
        C, H, W, stride_c, stride_p, p_blocks, c_blocks, BLOCK_P, BLOCK_C
    )
    dtype = bias_ptr.dtype.element_ty
    # logits in units of ln 2
    q = tl.load(query_ptr + i, inside, 0.0).to(dtype) * 1.4426950408889634
    largest = tl.full(q.shape, float('-inf'), dtype)
    for ab in tl.static_range(9):
        there = inside & _exists(p, H, W, ab // 3 - 1, ab % 3 - 1)
        j = i + ((ab // 3 - 1) * W + ab % 3 - 1) * stride_p
        k = tl.load(key_ptr + j, there, 0.0).to(dtype)
        r = tl.load(bias_ptr + c * 9 + ab, c < C, 0.0)
        largest = tl.maximum(largest, q * (k + r))
    total = tl.zeros(q.shape, dtype)
    out = tl.zeros(q.shape, dtype)
    for ab in tl.static_range(9):
        there = inside & _exists(p, H, W, ab // 3 - 1, ab % 3 - 1)
        j = i + ((ab // 3 - 1) * W + ab % 3 - 1) * stride_p
        k = tl.load(key_ptr + j, there, 0.0).to(dtype)
        v = tl.load(value_ptr + j, there, 0.0).to(dtype)
        r = tl.load(bias_ptr + c * 9 + ab, c < C, 0.0)
        weight = tl.exp2(q * (k + r) - largest)
        total += weight
        out += weight * v
    tl.store(out_ptr + i, out / total, inside)
    tl.store(lse_ptr + i, largest + tl.log2(total), inside)


@triton.jit
def _backward(
    grad_out_ptr, query_ptr, key_ptr, value_ptr, bias_ptr, out_ptr, lse_ptr,
    grad_query_ptr, grad_key_ptr, grad_value_ptr, grad_bias_ptr,
    C, H, W, stride_c, stride_p, p_blocks, c_blocks,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    p, c, here, inside = _tile(
        C, H, W, stride_c, stride_p, p_blocks, c_blocks, BLOCK_P, BLOCK_C
    )
    dtype = bias_ptr.dtype.element_ty
    log2e: tl.constexpr = 1.4426950408889634
    q = tl.load(query_ptr + here, inside, 0.0).to(dtype)
    k = tl.load(key_ptr + here, inside, 0.0).to(dtype)
    v = tl.load(value_ptr + here, inside, 0.0).to(dtype)
    grad_out = tl.load(grad_out_ptr + here, inside, 0.0).to(dtype)
    out = tl.load(out_ptr + here, inside, 0.0).to(dtype)
    lse = tl.load(lse_ptr + here, inside, 0.0)
    grad_q = tl.zeros(q.shape, dtype)
    grad_k = tl.zeros(q.shape, dtype)
    grad_v = tl.zeros(q.shape, dtype)
    for ab in tl.static_range(9):
        r = tl.load(bias_ptr + c * 9 + ab, c < C, 0.0)
        step = ((ab // 3 - 1) * W + ab % 3 - 1) * stride_p
        # this position as a query, and its neighbour j as the key
        there = inside & _exists(p, H, W, ab // 3 - 1, ab % 3 - 1)
        k_j = tl.load(key_ptr + here + step, there, 0.0).to(dtype)
        v_j = tl.load(value_ptr + here + step, there, 0.0).to(dtype)
        softmax = tl.exp2(q * log2e * (k_j + r) - lse)
        grad_logit = softmax * grad_out * (v_j - out)
        grad_q += grad_logit * (k_j + r)
        grad_r = tl.sum(grad_logit * q, axis=0)[None, :]
        tl.store(
            grad_bias_ptr + (tl.program_id(0) // c_blocks * C + c) * 9 + ab,
            grad_r,
            c < C,
        )
        # this position as the key of the query i that has it as this neighbour
        there = inside & _exists(p, H, W, 1 - ab // 3, 1 - ab % 3)
        q_i = tl.load(query_ptr + here - step, there, 0.0).to(dtype)
        grad_out_i = tl.load(grad_out_ptr + here - step, there, 0.0).to(dtype)
        out_i = tl.load(out_ptr + here - step, there, 0.0).to(dtype)
        lse_i = tl.load(lse_ptr + here - step, there, 0.0)
        grad_softmax = tl.exp2(q_i * log2e * (k + r) - lse_i) * grad_out_i
        grad_v += grad_softmax
        grad_k += grad_softmax * (v - out_i) * q_i
    tl.store(grad_query_ptr + here, grad_q, inside)
    tl.store(grad_key_ptr + here, grad_k, inside)
    tl.store(grad_value_ptr + here, grad_v, inside)
