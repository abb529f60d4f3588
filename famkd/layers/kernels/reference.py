"""Window attention as released: short, and what the kernels are tested against."""

import torch.nn.functional as F
from torch import Tensor


def window_attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """The formula of :func:`famkd.layers.kernels.window_attention`, by unfolding.

    It computes as the released code of FAM-KD does. Differentiable by autograd to
    any order, on any device, in any float dtype; keeps several tensors of 9 times
    the size of the input. Half precision is computed in float32, as by the kernels.
    """
    dtype = query.dtype
    if dtype.itemsize < 4:
        query, key, value = query.float(), key.float(), value.float()
    # (N, C, H, W, 3, 3): the window of every position
    key, value = (
        F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1) for x in (key, value)
    )
    logits = query[..., None, None] * (key + bias.to(query.dtype)[:, None, None])
    weights = logits.flatten(-2).softmax(dim=-1)
    return (weights * value.flatten(-2)).sum(dim=-1).to(dtype)
