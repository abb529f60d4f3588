"""Reading images, with errors that name the file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray


def add_size_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """Adds ``--size H [W]``; the help says what the default is."""
    parser.add_argument(
        '--size',
        nargs='+',
        type=int,
        metavar='N',
        help='height and width of the images, or one number for both; default: '
        + default,
    )


def given_size(
    parser: argparse.ArgumentParser, args: argparse.Namespace
) -> list[int] | None:
    """Height and width of ``--size``; None where it is not given."""
    size = args.size
    if size and (len(size) > 2 or min(size) < 1):
        parser.error(f'--size: {size} is not a height and a width')
    return size * 2 if size and len(size) == 1 else size


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
