"""Whether the weights of losses are weights."""

import math

from torch import nn


def check_loss_weights(distiller: nn.Module) -> None:
    """Checks ``loss_weight`` of a distiller, and of all losses in it.

    Args:
        distiller: A distiller.

    Raises:
        ValueError: If one is text, negative, infinite or NaN; names its loss.
    """
    for name, module in distiller.named_modules():
        weight = getattr(module, 'loss_weight', 1.0)
        is_number = isinstance(weight, (int, float))
        if isinstance(weight, str) or (is_number and not 0 <= weight < math.inf):
            key = f'distiller.{name}'.rstrip('.')
            raise ValueError(
                f'{key}: loss_weight={weight!r} of {type(module).__name__} must be a '
                'number of at least 0'
            )
