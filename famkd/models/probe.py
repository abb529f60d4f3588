"""One forward pass of a network, to find out what its modules give."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


@torch.no_grad()
def probe(
    network: nn.Module,
    input_shape: Sequence[int],
    forward: Callable[[Tensor], object] | None = None,
) -> None:
    """Runs a network once, on an image of zeros, and leaves it as it was.

    The network is in eval mode meanwhile, so that no statistics change, and no
    random number is drawn. The caller records what it wants to know.

    Args:
        network: The network.
        input_shape: Shape (C, H, W) of the image.
        forward: What is called with the batch (1, C, H, W). Defaults to None: the
            network, as far as its output before any loss (``mode='tensor'``).
    """
    modes = {module: module.training for module in network.modules()}
    parameter = next(network.parameters(), torch.empty(0))
    image = torch.zeros(1, *input_shape, device=parameter.device)
    network.eval()
    try:
        if forward is None:
            network(image, None, mode='tensor')
        else:
            forward(image)
    finally:
        for module, training in modes.items():
            module.training = training
