"""Window attention in Triton, for CUDA and for Triton's interpreter on the CPU."""

import torch
import triton
import triton.language as tl
from torch import Tensor

LOG2E = tl.constexpr(1.4426950408889634)


def try_to_compile() -> None:
    """Computes one position, so that what goes wrong does so before the training.

    Raises:
        RuntimeError: If Triton cannot compile the kernels, e.g. without a C compiler.
    """
    x = torch.zeros(1, 1, 1, 1, device='cuda')
    try:
        forward(x, x, x, torch.zeros(1, 3, 3, device='cuda'))
    except Exception as error:
        raise RuntimeError(f'Triton cannot compile here: {error}') from error


def forward(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Window attention, computed in the dtype of ``bias``.

    The maps are all contiguous or all channels-last, and so is the output.
    """
    out = torch.empty_like(query)
    grid, sizes = _tiles(query)
    with torch.cuda.device_of(query):
        _forward[grid](query, key, value, bias, out, **sizes)
    return out


def backward(
    grad_out: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of query, key, value and bias."""
    grads = [torch.empty_like(query) for _ in range(3)]
    # what the queries tell the keys: output, and log2 of the sum of exponentials
    out, lse = (torch.empty_like(query, dtype=bias.dtype) for _ in range(2))
    grid, sizes = _tiles(query)
    # each program has its own sums, added up in a fixed order: no atomics
    grad_bias = bias.new_empty(grid[0] // sizes['c_blocks'], *bias.shape)
    with torch.cuda.device_of(query):
        _backward_query[grid](
            grad_out, query, key, value, bias, out, lse, grads[0], grad_bias, **sizes
        )
        _backward_key_value[grid](
            grad_out, query, key, value, bias, out, lse, grads[1], grads[2], **sizes
        )
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
    """Channels, rows, columns, memory offsets and validity of the program's tile."""
    program = tl.program_id(0)
    c = program % c_blocks * BLOCK_C + tl.arange(0, BLOCK_C)[None, :]
    block = program // c_blocks
    p = block % p_blocks * BLOCK_P + tl.arange(0, BLOCK_P)[:, None]
    here = (block // p_blocks).to(tl.int64) * C * H * W + c * stride_c + p * stride_p
    return c, p // W, p % W, here, (c < C) & (p < H * W)


@triton.jit
def _neighbour(map_ptr, here, y, x, inside, a, b, H, W, stride_p, dtype):
    """A map a rows below and b columns right of this position, zero outside."""
    there = inside & (y + a >= 0) & (y + a < H) & (x + b >= 0) & (x + b < W)
    return tl.load(map_ptr + here + (a * W + b) * stride_p, there, 0.0).to(dtype)


@triton.jit
def _attend(
    query_ptr, key_ptr, value_ptr, bias_ptr,
    c, y, x, here, inside, C, H, W, stride_p, dtype,
):  # fmt: skip
    """Output, and log2 of the sum of exponentials."""
    q = tl.load(query_ptr + here, inside, 0.0).to(dtype) * LOG2E
    largest = tl.full(q.shape, float('-inf'), dtype)
    for a in tl.static_range(-1, 2):
        for b in tl.static_range(-1, 2):
            k = _neighbour(key_ptr, here, y, x, inside, a, b, H, W, stride_p, dtype)
            r = tl.load(bias_ptr + c * 9 + 3 * a + b + 4, c < C, 0.0)
            largest = tl.maximum(largest, q * (k + r))
    total = tl.zeros(q.shape, dtype)
    out = tl.zeros(q.shape, dtype)
    for a in tl.static_range(-1, 2):
        for b in tl.static_range(-1, 2):
            k = _neighbour(key_ptr, here, y, x, inside, a, b, H, W, stride_p, dtype)
            v = _neighbour(value_ptr, here, y, x, inside, a, b, H, W, stride_p, dtype)
            r = tl.load(bias_ptr + c * 9 + 3 * a + b + 4, c < C, 0.0)
            weight = tl.exp2(q * (k + r) - largest)
            total += weight
            out += weight * v
    return out / total, largest + tl.log2(total)


@triton.jit
def _forward(
    query_ptr, key_ptr, value_ptr, bias_ptr, out_ptr,
    C, H, W, stride_c, stride_p, p_blocks, c_blocks,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    c, y, x, here, inside = _tile(
        C, H, W, stride_c, stride_p, p_blocks, c_blocks, BLOCK_P, BLOCK_C
    )
    out, _ = _attend(
        query_ptr, key_ptr, value_ptr, bias_ptr,
        c, y, x, here, inside, C, H, W, stride_p, bias_ptr.dtype.element_ty,
    )  # fmt: skip
    tl.store(out_ptr + here, out, inside)


@triton.jit
def _backward_query(
    grad_out_ptr, query_ptr, key_ptr, value_ptr, bias_ptr,
    out_ptr, lse_ptr, grad_query_ptr, grad_bias_ptr,
    C, H, W, stride_c, stride_p, p_blocks, c_blocks,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    c, y, x, here, inside = _tile(
        C, H, W, stride_c, stride_p, p_blocks, c_blocks, BLOCK_P, BLOCK_C
    )
    dtype = bias_ptr.dtype.element_ty
    out, lse = _attend(
        query_ptr, key_ptr, value_ptr, bias_ptr,
        c, y, x, here, inside, C, H, W, stride_p, dtype,
    )  # fmt: skip
    tl.store(out_ptr + here, out, inside)
    tl.store(lse_ptr + here, lse, inside)
    q = tl.load(query_ptr + here, inside, 0.0).to(dtype)
    grad_out = tl.load(grad_out_ptr + here, inside, 0.0).to(dtype)
    grad_q = tl.zeros(q.shape, dtype)
    grad_bias_ptr += (tl.program_id(0) // c_blocks * C + c) * 9
    for a in tl.static_range(-1, 2):
        for b in tl.static_range(-1, 2):
            k = _neighbour(key_ptr, here, y, x, inside, a, b, H, W, stride_p, dtype)
            v = _neighbour(value_ptr, here, y, x, inside, a, b, H, W, stride_p, dtype)
            r = tl.load(bias_ptr + c * 9 + 3 * a + b + 4, c < C, 0.0)
            softmax = tl.exp2(q * LOG2E * (k + r) - lse)
            grad_logit = softmax * grad_out * (v - out)
            grad_q += grad_logit * (k + r)
            tl.store(
                grad_bias_ptr + 3 * a + b + 4,
                tl.sum(grad_logit * q, axis=0)[None, :],
                c < C,
            )
    tl.store(grad_query_ptr + here, grad_q, inside)


@triton.jit
def _backward_key_value(
    grad_out_ptr, query_ptr, key_ptr, value_ptr, bias_ptr,
    out_ptr, lse_ptr, grad_key_ptr, grad_value_ptr,
    C, H, W, stride_c, stride_p, p_blocks, c_blocks,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    c, y, x, here, inside = _tile(
        C, H, W, stride_c, stride_p, p_blocks, c_blocks, BLOCK_P, BLOCK_C
    )
    dtype = bias_ptr.dtype.element_ty
    k = tl.load(key_ptr + here, inside, 0.0).to(dtype)
    v = tl.load(value_ptr + here, inside, 0.0).to(dtype)
    grad_k = tl.zeros(k.shape, dtype)
    grad_v = tl.zeros(k.shape, dtype)
    for a in tl.static_range(-1, 2):
        for b in tl.static_range(-1, 2):
            # the query whose neighbour (a, b) is here; none outside, so no gradient
            q = _neighbour(query_ptr, here, y, x, inside, -a, -b, H, W, stride_p, dtype)
            out = _neighbour(out_ptr, here, y, x, inside, -a, -b, H, W, stride_p, dtype)
            lse = _neighbour(lse_ptr, here, y, x, inside, -a, -b, H, W, stride_p, dtype)
            grad_out = _neighbour(
                grad_out_ptr, here, y, x, inside, -a, -b, H, W, stride_p, dtype
            )
            r = tl.load(bias_ptr + c * 9 + 3 * a + b + 4, c < C, 0.0)
            grad_softmax = tl.exp2(q * LOG2E * (k + r) - lse) * grad_out
            grad_v += grad_softmax
            grad_k += grad_softmax * (v - out) * q
    tl.store(grad_key_ptr + here, grad_k, inside)
    tl.store(grad_value_ptr + here, grad_v, inside)
