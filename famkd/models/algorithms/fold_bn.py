"""BN of a network that does not learn, folded into the convolutions before it."""

import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

NORMS = nn.BatchNorm2d, nn.SyncBatchNorm


class Place(NamedTuple):
    """Where a module stands."""

    parent: nn.Module
    name: str


@torch.no_grad()
def fold_bn(network: nn.Module, forward: Callable[[], object]) -> int:
    """Folds BN into the convolutions before them, in place, in a network in eval mode.

    ``gamma (W x + b - mean) / s + beta = (gamma / s) W x + (gamma / s) (b - mean) +
    beta``, with ``s = sqrt(var + eps)``. A forward pass shows which can be: each module
    has run once, nothing else has used the convolution's weight, and what it gave went
    to the BN and nowhere else. What this pass does not reach, and what is different in
    another one, is not seen.

    Left as they are: modules with hooks, such as recorded ones, and those that may
    compute something else, being of a subclass or having another ``forward``.

    Args:
        network: The network.
        forward: Runs it and gives what is taken from it: tensors, in lists, tuples or
            dicts.

    Returns:
        int: How many were folded.
    """
    places = _places(network)
    if not any(isinstance(module, NORMS) for module in places):
        return 0
    with _Watch(places) as watch:
        taken = forward()
    pairs = watch.pairs(tree_leaves(taken))
    for conv, norm in pairs:
        _fold(conv, norm)
        parent, name = places[norm]
        setattr(parent, name, nn.Identity().eval())
    return len(pairs)


def _places(network: nn.Module) -> dict[nn.Module, Place]:
    """Plain convolutions and BN that stand in one place, without hooks."""
    places = [
        (child, Place(parent, name))
        for parent in network.modules()
        for name, child in parent._modules.items()
        if type(child) in (nn.Conv2d, *NORMS)
    ]
    counts = Counter(child for child, _ in places)
    return {
        child: place
        for child, place in places
        if counts[child] == 1
        and not (child._forward_hooks or child._forward_pre_hooks)
        and 'forward' not in vars(child)
    }


class _Watch(TorchDispatchMode):
    """Context that sees where the outputs of convolutions go, in a forward pass.

    A use of an output is an operation, a BN with all that it does, or that it is taken
    from the network: a single one, by a BN, is what can be folded.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self._modules = list(modules)
        self._handles = []
        self._calls = Counter()
        # By id, which another tensor has once this one is gone; the reference tells.
        self._outputs: dict[int, tuple[weakref.ref, nn.Module]] = {}
        self._weights = {
            id(x.weight): x for x in self._modules if isinstance(x, nn.Conv2d)
        }
        self._uses, self._weight_uses = Counter(), Counter()
        self._norms = {}
        self._in_norm = False

    def __enter__(self) -> '_Watch':
        for module in self._modules:
            if isinstance(module, nn.Conv2d):
                hooks = [module.register_forward_hook(self._after_conv)]
            else:
                hooks = [
                    module.register_forward_pre_hook(self._before_norm),
                    module.register_forward_hook(self._after_norm),
                ]
            self._handles += hooks
        return super().__enter__()

    def __exit__(self, *args) -> None:
        for handle in self._handles:
            handle.remove()
        super().__exit__(*args)

    def __torch_dispatch__(
        self,
        function: Callable,
        types: object,
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> object:
        """Counts which weights and outputs of convolutions an operation takes."""
        leaves = tree_leaves((args, kwargs))
        if not self._in_norm:
            self._uses.update(self._sources(leaves))
        self._weight_uses.update(
            self._weights[id(x)] for x in leaves if id(x) in self._weights
        )
        return function(*args, **(kwargs or {}))

    def _after_conv(self, conv: nn.Module, args: tuple, output: Tensor) -> None:
        self._calls[conv] += 1
        self._outputs[id(output)] = weakref.ref(output), conv

    def _before_norm(self, norm: nn.Module, args: tuple) -> None:
        self._calls[norm] += 1
        for conv in self._sources(args):
            self._uses[conv] += 1
            self._norms[conv] = norm
        self._in_norm = True  # its own operations are no further uses

    def _after_norm(self, *_) -> None:
        self._in_norm = False

    def _sources(self, leaves: Iterable) -> list[nn.Module]:
        """The convolutions that these are outputs of."""
        found = []
        for x in leaves:
            if id(x) in self._outputs:
                reference, conv = self._outputs[id(x)]
                if reference() is x:
                    found.append(conv)
        return found

    def pairs(self, taken: list) -> list[tuple[nn.Conv2d, nn.Module]]:
        """Convolutions and the BN that can be folded into them.

        Args:
            taken: What else becomes of outputs: the tensors taken from the network.
        """
        self._uses.update(self._sources(taken))
        return [
            (conv, norm)
            for conv, norm in self._norms.items()
            if self._calls[conv] == self._calls[norm] == 1
            and self._uses[conv] == self._weight_uses[conv] == 1
            and norm.running_mean is not None
            and not norm.training
        ]


def _fold(conv: nn.Conv2d, norm: nn.Module) -> None:
    """Puts a BN into the weights of a convolution; computes in float32 at least."""
    dtype = conv.weight.dtype
    wide = torch.promote_types(dtype, torch.float32)
    weight, bias, mean, var, scale, shift = (
        None if tensor is None else tensor.to(wide)
        for tensor in (
            conv.weight,
            conv.bias,
            norm.running_mean,
            norm.running_var,
            norm.weight,
            norm.bias,
        )
    )
    fused = fuse_conv_bn_weights(weight, bias, mean, var, norm.eps, scale, shift)
    conv.weight, conv.bias = (
        nn.Parameter(tensor.to(dtype), requires_grad=False) for tensor in fused
    )
