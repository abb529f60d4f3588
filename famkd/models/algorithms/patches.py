"""The patches of a vision transformer, and images that are cut into them."""

from torch import nn

Size = tuple[int, int]


class Patches:
    """How a network cuts images into patches.

    Looked up once: the search goes through all modules.

    Args:
        network: The network that gets the images.

    Attributes:
        size: Height and width of a patch; (1, 1) if the network has none.
    """

    def __init__(self, network: nn.Module) -> None:
        self._embedding = _patch_embedding(network)
        self.size: Size = (1, 1)
        if self._embedding is not None:
            self.size = _projection(self._embedding).stride

    def check(self, images: Size) -> None:
        """Checks that images are cut into whole patches.

        Some networks would pad the images without a word, and so shift the map against
        that of the student; others fail in the middle of a forward pass.

        Args:
            images: Their height and width.

        Raises:
            ValueError: If they are no multiples of the patch, or the network takes
                another size only; names a size that fits.
        """
        height, width = images
        embedding = self._embedding
        fixed = getattr(embedding, 'strict_img_size', False) and embedding.img_size
        if fixed and tuple(fixed) != (height, width):
            raise ValueError(
                f'teacher_options: the images are {height}x{width}, but the teacher '
                f'takes {fixed[0]}x{fixed[1]} only; set input_size={tuple(fixed)}, '
                'or dynamic_img_size=True in the backbone, which then resizes its '
                'position embeddings'
            )
        if any(x % p for x, p in zip(images, self.size, strict=True)):
            raise ValueError(
                f'teacher_options: the images are {height}x{width}, which are no '
                f'multiples of the patch of the teacher, {self.size[0]}x'
                f'{self.size[1]}; set input_size={self.nearest(images)}, or '
                'input_scale where the sizes change'
            )

    def nearest(self, images: tuple[float, float]) -> Size:
        """The nearest size of whole patches, at least one."""
        height, width = (
            max(1, round(x / p)) * p for x, p in zip(images, self.size, strict=True)
        )
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
