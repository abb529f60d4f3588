"""List files, which name the images of a data set, and the images that they name."""

from collections.abc import Sequence
from pathlib import Path

from famkd.names import first_names


def read_list(path: Path, root: str, dataset: str) -> list[str]:
    """The lines of a list file, without a byte-order mark.

    Args:
        path: The file.
        root: Folder of the data set, for the message.
        dataset: Its class, likewise.

    Raises:
        FileNotFoundError: If it is not there.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'there is no list file {path}; {dataset} expects it in '
            f'data_root={root!r}, as docs/scenes.md shows'
        )
    return path.read_text(encoding='utf-8-sig').splitlines()


def check_images(path: Path, root: str, images: Sequence[Path]) -> None:
    """Checks that a list file names images, and that all of them are there.

    Args:
        path: The file.
        root: Folder of the data set.
        images: The images that it names, below that folder.

    Raises:
        ValueError: If it names none.
        FileNotFoundError: If some are not there; names the first of them.
    """
    if not images:
        raise ValueError(f'{path} names no image')
    missing = [image for image in images if not Path(root, image).is_file()]
    if missing:
        folder = Path(root, missing[0].parent)
        raise FileNotFoundError(
            f'{len(missing)} of the {len(images)} images of {path} are not in '
            f'{root!r}: {first_names(missing)}'
            + ('' if folder.is_dir() else f'; expected the folder {folder}')
        )
