"""Checkpoints from a URL: downloaded once, checked, and kept."""

import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from .archive import is_complete
from .safe_load import read_file

# The SHA-256 at the end of a name, as in resnet18-f37072fd.pth; dates are none.
SHA_IN_NAME = re.compile(r'-(?!(?:19|20)\d{6}\.)([0-9a-f]{8,64})\.\w+$')


def read_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = 'cpu',
    progress: bool = True,
) -> Any:
    """Reads a checkpoint from a URL, as :func:`~.safe_load.read_file` does.

    The download is kept for the next time, where PyTorch keeps its own: by its name
    where that holds the beginning of the file's SHA-256, as OpenMMLab's and
    torchvision's do, by the whole URL otherwise, since every training writes an
    ``epoch_1.pth``. One that is cut off or is not what its name says is not kept.

    Args:
        url: ``http://``, ``https://`` or ``file://``.
        model_dir: Folder of the downloads. Defaults to None (PyTorch's).
        map_location: Where the tensors go. Defaults to 'cpu'.
        progress: Whether a progress bar is shown. Defaults to True.

    Returns:
        Any: What the file holds, mostly a dict.

    Raises:
        ValueError: If the SHA-256 of the file is not the one in its name, or as
            :func:`~.safe_load.read_file` does.
    """
    import torch

    folder = Path(model_dir or Path(torch.hub.get_dir(), 'checkpoints'))
    name = Path(urlparse(url).path).name
    sha = SHA_IN_NAME.search(name)
    if not sha:
        folder /= hashlib.sha256(url.encode()).hexdigest()[:16]
    file = folder / name
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), progress=progress)
    if sha:
        _check_sha(file, sha[1], url)
    try:
        return read_file(file, map_location, mmap=True)
    except ValueError:
        # One that is only refused stays: it may be read with --trust-checkpoint.
        if not (sha or is_complete(file)):
            file.unlink(missing_ok=True)
        raise


def _check_sha(file: Path, expected: str, url: str) -> None:
    digest = hashlib.sha256()
    with open(file, 'rb') as content:
        while part := content.read(1 << 20):
            digest.update(part)
    found = digest.hexdigest()
    if not found.startswith(expected):
        file.unlink(missing_ok=True)  # by another process, perhaps
        raise ValueError(
            f'{file}, downloaded from {url}, is not the file that its name says: its '
            f'SHA-256 begins with {found[: len(expected)]}, not with {expected}; it is '
            'removed. Try again or, if the name is wrong, download it by hand and give '
            'its path'
        )
