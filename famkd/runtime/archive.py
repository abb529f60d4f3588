"""Whether a checkpoint is whole: PyTorch writes checksums, but does not read them."""

import io
import zipfile
from pathlib import Path
from typing import BinaryIO


def is_complete(file: str | Path) -> bool:
    """Whether a file is one of ``torch.save`` whose checksums are right."""
    try:
        check_archive(file)
    except ValueError:
        return False
    return True


def check_archive(file: str | Path | BinaryIO) -> None:
    """Compares all checksums of a file of ``torch.save``.

    Args:
        file: The file.

    Raises:
        ValueError: If a part of it is damaged, missing, or said to be larger than the
            file; names it.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            archive.fp.seek(0, io.SEEK_END)
            size = archive.fp.tell()
            if sum(part.file_size for part in parts) > size:
                problem = f'it says that it holds more than its {size:,} bytes'
            elif not any(part.filename.endswith('data.pkl') for part in parts):
                problem = 'it has no data.pkl'
            else:
                damaged = archive.testzip()
                problem = damaged and f'the checksum of {damaged} is wrong'
    except Exception as error:  # a damaged file can raise any
        problem = f'{type(error).__name__}: {error}'
    if problem:
        raise ValueError(problem)
