"""A frozen network whose weights are spread over the processes."""

import torch
from torch import nn


def shard(network: nn.Module) -> None:
    """Leaves each process a part of the weights, in place, by PyTorch's FSDP2.

    Each block gathers its weights from the other processes when it runs, and lets
    them go after it. Blocks are the members of the network's lists of layers
    (``ModuleList``, ``Sequential``) that lie in no other.

    Args:
        network: Network without gradients; it may still be on the CPU, its parts go
            to the device of the process one after the other. All processes call this
            at the same time, and its forward as often.
    """
    from torch.distributed.fsdp import fully_shard

    network.to(memory_format=torch.contiguous_format)  # FSDP takes no channels_last
    for block in _blocks(network):
        if any(True for _ in block.parameters()):
            fully_shard(block)
    fully_shard(network, reshard_after_forward=True)


def _blocks(module: nn.Module) -> list[nn.Module]:
    if isinstance(module, (nn.ModuleList, nn.Sequential)):
        return list(module.children())
    return [block for child in module.children() for block in _blocks(child)]
