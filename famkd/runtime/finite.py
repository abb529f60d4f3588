"""Finding the values that are not finite."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def non_finite(content: Any) -> list[str]:
    """Names of the tensors with a NaN or an infinity in a checkpoint, as in ``a.b.0``.

    Args:
        content: Tensors in dicts, lists and tuples, whatever else there is.
    """
    tensors = dict(_tensors(content, '', set()))
    if not tensors:
        return []
    # All at once: a norm is not finite where a value is not; seldom, it overflows.
    norms = torch.stack([n.double() for n in torch._foreach_norm([*tensors.values()])])
    if norms.isfinite().all():
        return []
    return [name for name, tensor in tensors.items() if not tensor.isfinite().all()]


def _tensors(content: Any, name: str, seen: set) -> Iterator[tuple[str, Tensor]]:
    if isinstance(content, Tensor):
        if content.is_floating_point() or content.is_complex():
            if not content.is_meta:
                yield name, _stored(content)
        return
    if isinstance(content, dict):
        items = content.items()
    elif isinstance(content, (list, tuple)):
        items = enumerate(content)
    else:
        return
    if id(content) in seen:  # or a list that holds itself would have no end
        return
    seen.add(id(content))
    for key, value in items:
        yield from _tensors(value, f'{name}.{key}' if name else str(key), seen)


def _stored(tensor: Tensor) -> Tensor:
    """What a tensor holds in memory: of one that is expanded, each number once."""
    if tensor.layout is torch.sparse_coo:
        return tensor._values()
    if tensor.layout is not torch.strided:
        return tensor.values()
    storage = tensor.untyped_storage()
    if tensor.numel() * tensor.element_size() > storage.nbytes():
        return torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(storage)
    return tensor
