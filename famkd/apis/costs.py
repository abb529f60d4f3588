"""What a network costs: parameters, multiply-adds, time and memory of an image."""

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import torch
from mmengine.analysis import FlopAnalyzer
from mmengine.structures import BaseDataElement
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass
class Cost:
    """What a network costs.

    Attributes:
        parameters: How many it has.
        multiply_adds: Multiply-adds of one image.
        memory_mb: Most memory of one forward pass of a batch, in MB: weights and
            activations.
        times: Seconds of forward passes of a batch.
    """

    parameters: int
    multiply_adds: float
    memory_mb: float
    times: list[float] = field(default_factory=list)

    @property
    def milliseconds(self) -> float:
        """Median of the times, in ms."""
        return 1000 * median(self.times)


def measure_costs(
    networks: dict[str, nn.Module],
    input_shape: Sequence[int],
    batch_size: int = 1,
    repeats: int = 20,
    device: str = 'cpu',
) -> dict[str, Cost]:
    """Measures networks side by side; they take turns, so that all see one machine.

    A forward pass goes as far as ``mode='tensor'``: the scores of a classifier or
    segmentor, what the heads of a detector give, without its non-maximum suppression.

    Args:
        networks: Label -> network, as mmpretrain, mmdet or mmseg build it.
        input_shape: Shape (C, H, W) of an image.
        batch_size: Images of a forward pass.
        repeats: Forward passes of each that are timed, after two that are not.
        device: Where they run.

    Returns:
        dict: Label -> costs.
    """
    images = torch.rand(batch_size, *input_shape, device=device)
    costs = {}
    for label, network in networks.items():
        forward = Forward(network.eval().to(device))
        counter = FlopAnalyzer(forward, (images[:1],))
        counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        costs[label] = Cost(
            parameters=sum(x.numel() for x in network.parameters()),
            multiply_adds=counter.total(),
            memory_mb=peak_memory(forward, images) / 1e6,
        )
    for turn in range(-2, repeats):
        for label, network in networks.items():
            seconds = timed(Forward(network), images)
            if turn >= 0:
                costs[label].times.append(seconds)
    return costs


class Forward(nn.Module):
    """A network of OpenMMLab as a function of its images alone.

    Args:
        network: The network.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> object:
        """What the network gives before any loss, of images (N, C, H, W)."""
        size = tuple(images.shape[2:])
        whole = dict(img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0))
        sample = BaseDataElement(metainfo={**whole, 'batch_input_shape': size})
        return self.network(images, [sample] * len(images), mode='tensor')


class LiveMemory(TorchDispatchMode):
    """Counts the bytes of tensors that are made inside it, as long as they live.

    Attributes:
        peak: Most bytes at one time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, func: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self.add(tensor.untyped_storage())
        return result

    def add(self, storage: torch.UntypedStorage) -> None:
        """Counts a tensor's storage, from now to its end."""
        key = id(storage)
        if key not in self.sizes:
            self.sizes[key] = storage.nbytes()
            weakref.finalize(storage, self.sizes.pop, key)
            self.peak = max(self.peak, sum(self.sizes.values()))


@torch.no_grad()
def peak_memory(model: nn.Module, images: Tensor) -> int:
    """Most bytes that weights, images and activations take in a forward pass."""
    with LiveMemory() as memory:
        for tensor in (images, *model.parameters(), *model.buffers()):
            memory.add(tensor.untyped_storage())
        model(images)
    return memory.peak


@torch.no_grad()
def timed(model: nn.Module, images: Tensor) -> float:
    """Seconds of one forward pass."""
    start = time.perf_counter()
    model(images)
    if images.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
