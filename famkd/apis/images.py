"""Reading images, with errors that name the file."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray


def read_image(file: str) -> 'ndarray':
    """An image as an array (H, W, 3) in BGR.

    Raises:
        FileNotFoundError: If there is no such image.
        ValueError: If it cannot be read.
    """
    import cv2

    if not Path(file).is_file():
        raise FileNotFoundError(f'{file}: no such image')
    image = cv2.imread(file)
    if image is None:
        raise ValueError(f'{file}: cannot be read as an image')
    return image
