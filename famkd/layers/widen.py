"""The precision of sums and losses."""

from torch import Tensor


def widen(x: Tensor) -> Tensor:
    """The tensor in float32 or wider: squares of half precision under- and overflow."""
    return x.float() if x.itemsize < 4 else x
