"""The patches of a vision transformer, and images that are cut into them."""

from torch import nn

Size = tuple[int, int]


def check_patches(network: nn.Module, size: Size) -> None:
    """Checks that images are cut into whole patches.

    Some networks would pad the images without a word, and so shift the map against
    that of the student; others fail in the middle of a forward pass.

    Args:
        network: The network that gets the images.
        size: Their height and width.

    Raises:
        ValueError: If the size is no multiple of the patch, or the network takes
            another size only; names a size that fits.
    """
    embedding = _patch_embedding(network)
    if embedding is None:
        return
    patch = patch_size(network)
    fixed = getattr(embedding, 'strict_img_size', False) and embedding.img_size
    if fixed and tuple(fixed) != tuple(size):
        raise ValueError(
            f'teacher_options: the images are {size[0]}x{size[1]}, but the teacher '
            f'takes {fixed[0]}x{fixed[1]} only; set input_size={tuple(fixed)}, or '
            'dynamic_img_size=True in the backbone, which then resizes its position '
            'embeddings'
        )
    if any(x % p for x, p in zip(size, patch, strict=True)):
        raise ValueError(
            f'teacher_options: the images are {size[0]}x{size[1]}, which are no '
            f'multiples of the patch of the teacher, {patch[0]}x{patch[1]}; set '
            f'input_size={whole_patches(size, patch)}, or input_scale where the sizes '
            'change'
        )


def patch_size(network: nn.Module) -> Size:
    """Height and width of its patches; (1, 1) if it has none."""
    embedding = _patch_embedding(network)
    return (1, 1) if embedding is None else _projection(embedding).stride


def whole_patches(size: tuple[float, float], patch: Size) -> Size:
    """The nearest size of whole patches, at least one."""
    height, width = (max(1, round(x / p)) * p for x, p in zip(size, patch, strict=True))
    return height, width


def _patch_embedding(network: nn.Module) -> nn.Module | None:
    """The first module that cuts images into patches, as mmcv and timm name it."""
    for module in network.modules():
        if type(module).__name__ == 'PatchEmbed':
            projection = _projection(module)
            if isinstance(projection, nn.Conv2d):
                if projection.kernel_size == projection.stride:
                    return module
    return None


def _projection(embedding: nn.Module) -> nn.Module | None:
    return getattr(embedding, 'projection', getattr(embedding, 'proj', None))
