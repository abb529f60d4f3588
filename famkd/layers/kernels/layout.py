"""The memory formats of maps."""

import torch
from torch import Tensor


def is_channels_last(x: Tensor) -> bool:
    """Whether a map lies channels last, and not both ways (one channel or place)."""
    return not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)


def memory_format(channels_last: bool) -> torch.memory_format:
    """PyTorch's name of the format."""
    return torch.channels_last if channels_last else torch.contiguous_format


def empty_map(like: Tensor) -> Tensor:
    """An uninitialised map without gaps, of another's shape, dtype and format."""
    layout = memory_format(is_channels_last(like))
    return torch.empty_like(like, memory_format=layout)


def in_one_format(first: Tensor, *others: Tensor) -> list[Tensor]:
    """Maps without gaps, in the dtype and memory format of the first."""
    layout = memory_format(is_channels_last(first))
    return [
        x.to(first.dtype).contiguous(memory_format=layout) for x in (first, *others)
    ]
