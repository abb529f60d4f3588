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

    The network is in eval mode meanwhile, so that no statistics change, and the random
    numbers that it draws, if any, come again. The caller records what it wants to know.

    Args:
        network: The network.
        input_shape: Shape (C, H, W) of the image.
        forward: What is called with the batch (1, C, H, W). Defaults to None: the
            network, as far as its output before any loss (``mode='tensor'``).

    Raises:
        ValueError: If ``input_shape`` is not three positive whole numbers, or of an
            image that the network cannot take.
    """
    sizes = input_shape if isinstance(input_shape, Sequence) else ()
    if len(sizes) != 3 or not all(isinstance(x, int) and x > 0 for x in sizes):
        raise ValueError(
            f'input_shape={input_shape!r} must be the channels, height and width of an '
            'image, three whole numbers such as (3, 224, 224)'
        )
    modes = {module: module.training for module in network.modules()}
    parameter = next(network.parameters(), torch.empty(0))
    image = torch.zeros(1, *input_shape, device=parameter.device)
    network.eval()
    try:
        with torch.random.fork_rng(devices=[]):
            if forward is None:
                network(image, None, mode='tensor')
            else:
                forward(image)
    except (AssertionError, RuntimeError) as error:
        raise ValueError(
            f'input_shape={input_shape!r}: the {type(network).__name__} cannot take '
            f'such an image ({error})'
        ) from error
    finally:
        for module, training in modes.items():
            module.training = training
