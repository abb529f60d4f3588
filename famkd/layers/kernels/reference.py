"""Window attention by unfolding: short, and what the kernels are tested against."""

import torch.nn.functional as F
from torch import Tensor


def window_attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """The formula of :func:`famkd.layers.kernels.window_attention`, by unfolding.

    Differentiable by autograd to any order, on any device, in any float dtype;
    keeps several tensors of 9 times the size of the input. Half precision is
    computed in float32, as by the kernels.
    """
    n, c, h, w = query.shape
    dtype = query.dtype
    if dtype.itemsize < 4:
        query, key, value = query.float(), key.float(), value.float()
    # (N, C, 9, H, W), the neighbours row by row as in bias (C, 3, 3)
    key, value = (
        F.unfold(x, kernel_size=3, padding=1).view(n, c, 9, h, w) for x in (key, value)
    )
    logits = query.unsqueeze(2) * (key + bias.to(query.dtype).view(c, 9, 1, 1))
    return (logits.softmax(dim=2) * value).sum(dim=2).to(dtype)
