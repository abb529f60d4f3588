"""Files that are either written completely or not there."""

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

TEMPORARY = '.tmp'  # ending of a file that is being written


@register_backend('atomic')
class AtomicBackend(LocalBackend):
    """MMEngine's local files, written so that a crash leaves the old or the new one.

    The content goes to a temporary file in the same folder, which is flushed to the
    disk and then takes the place of the file. Named ``'atomic'`` in ``backend_args``.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Writes a file.

        Args:
            obj: The content.
            filepath: The file; its folder is made if it is not there.

        Raises:
            OSError: If it cannot be written, such as on a full disk. What was there
                before is whole.
        """
        path = Path(filepath)
        temporary = path.with_name(path.name + TEMPORARY)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise OSError(
                error.errno,
                f'{error.strerror}: {len(obj):,} bytes could not be written; the files '
                'that were there before are whole',
                str(path),
            ) from error
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # or the new name may be lost with the power
        finally:
            os.close(folder)
