"""BN of a network that does not learn, folded into the convolutions before it."""

import logging
import weakref
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import NamedTuple

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

FEATURES_DIFFER = (
    'the teacher computes something else with its BN folded into its convolutions; '
    'it stays as it is'
)


class Pair(NamedTuple):
    """A convolution, the BN that its output goes to, and where the BN stands."""

    conv: nn.Conv2d
    norm: nn.Module
    parent: nn.Module
    name: str


@torch.no_grad()
def fold_bn(network: nn.Module, forward: Callable[[], list[Tensor]]) -> int:
    """Folds BN in eval mode into the convolutions before it, in place, where it can.

    ``gamma (W x + b - mean) / s + beta = (gamma / s) W x + (gamma / s) (b - mean) +
    beta``, with ``s = sqrt(var + eps)``. Which BN follows which convolution is seen in
    a forward pass: each has run once, and the one has got what the other gave. Modules
    with hooks, such as recorded ones, stay as they are. What else the output of a
    convolution may go to is not seen; if the features of a second pass are not those
    of the first, to within rounding, all is undone, and the log says so.

    Args:
        network: Network in eval mode.
        forward: Runs it and gives its features; it is called twice.

    Returns:
        int: How many were folded.
    """
    with _PairsSeen(network) as seen:
        before = forward()
    pairs = seen.pairs()
    weights = [(pair.conv.weight, pair.conv.bias) for pair in pairs]
    for pair in pairs:
        _fold(pair)
    if not pairs or _agree(before, forward()):
        return len(pairs)
    for pair, (weight, bias) in zip(pairs, weights, strict=True):
        pair.conv.weight, pair.conv.bias = weight, bias
        setattr(pair.parent, pair.name, pair.norm)
    print_log(FEATURES_DIFFER, 'current', logging.WARNING)
    return 0


class _PairsSeen:
    """Context in which a forward pass shows which BN follows which convolution."""

    def __init__(self, network: nn.Module) -> None:
        self._places = defaultdict(list)
        for parent in network.modules():
            for name, child in parent.named_children():
                self._places[child].append((parent, name))
        self._calls = Counter()
        self._outputs = {}  # by id, for as long as they are there
        self._norms = defaultdict(list)
        self._handles = []

    def __enter__(self) -> '_PairsSeen':
        for module, places in self._places.items():
            if len(places) > 1 or module._forward_hooks or module._forward_pre_hooks:
                continue
            # Not their subclasses, which may compute something else.
            if type(module) is nn.Conv2d:
                hook = self._after_conv
            elif type(module) in (nn.BatchNorm2d, nn.SyncBatchNorm):
                hook = self._after_norm
            else:
                continue
            self._handles.append(module.register_forward_hook(hook))
        return self

    def __exit__(self, *_) -> None:
        for handle in self._handles:
            handle.remove()

    def _after_conv(self, conv: nn.Module, args: tuple, output: Tensor) -> None:
        self._calls[conv] += 1
        self._outputs[id(output)] = weakref.ref(output), conv

    def _after_norm(self, norm: nn.Module, args: tuple, output: Tensor) -> None:
        self._calls[norm] += 1
        reference, conv = self._outputs.get(id(args[0]) if args else None, (None, None))
        if conv is not None and reference() is args[0]:
            self._norms[conv].append(norm)

    def pairs(self) -> list[Pair]:
        """What can be folded."""
        return [
            Pair(conv, norms[0], *self._places[norms[0]][0])
            for conv, norms in self._norms.items()
            if self._calls[conv] == self._calls[norms[0]] == len(norms) == 1
            and norms[0].running_mean is not None
        ]


def _fold(pair: Pair) -> None:
    """Folds a BN, in float32 at least."""
    conv, norm = pair.conv, pair.norm
    dtype = conv.weight.dtype
    tensors = (
        conv.weight,
        conv.bias,
        norm.running_mean,
        norm.running_var,
        norm.weight,
        norm.bias,
    )
    weight, bias, mean, var, scale, shift = (
        None if tensor is None else tensor.to(torch.promote_types(dtype, torch.float32))
        for tensor in tensors
    )
    weight, bias = fuse_conv_bn_weights(weight, bias, mean, var, norm.eps, scale, shift)
    conv.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    conv.bias = nn.Parameter(bias.to(dtype), requires_grad=False)
    setattr(pair.parent, pair.name, nn.Identity())


def _agree(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    """Whether features are the same to within rounding."""
    for a, b in zip(ours, theirs, strict=True):
        # TensorFloat-32 and float16 have steps of 0.001.
        tolerance = 0.05 if a.dtype == torch.bfloat16 else 0.01
        if not (a.float() - b.float()).norm() <= tolerance * a.float().norm():
            return False
    return True
