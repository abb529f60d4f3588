"""Tokens of a transformer as a map."""

from math import isqrt

from torch import Tensor


def tokens_to_map(tokens: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Lays the tokens of image patches out as they lie in the image.

    Tokens that are not of a patch (class, distillation, registers) stand before
    the others and are dropped.

    Args:
        tokens: Shape (N, k + H*W, C), the patches row by row.
        size: H and W. Defaults to None: the map is square, and k is 0 or 1.

    Returns:
        Tensor: Shape (N, C, H, W).

    Raises:
        ValueError: If there are fewer tokens than the map has places, or, without
            a size, another number than a square or one more. The message is made
            to follow the name of what gives the tokens.
    """
    length = tokens.shape[1]
    if size is None:
        side = isqrt(length)
        if length - side**2 > 1:
            raise ValueError(
                f'gives {length} tokens, which is neither a square nor one more; set '
                'the height and width of their map, '
                'dict(type=..., source=..., map_size=(H, W))'
            )
        size = (side, side)
    extra = length - size[0] * size[1]
    if extra < 0:
        raise ValueError(
            f'gives {length} tokens, but map_size={tuple(size)} asks for '
            f'{size[0] * size[1]}; give the height and width in patches'
        )
    return tokens[:, extra:].transpose(1, 2).unflatten(2, tuple(size))
