"""One training at a time in a work folder."""

import errno
import fcntl
import logging
import os
import socket
from pathlib import Path
from typing import TextIO

from mmengine.logging import print_log


def lock_folder(folder: str) -> TextIO | None:
    """Takes a work folder for this process.

    The operating system holds the lock, also across machines where their file system
    does, and gives it back when the process ends, in whatever way.

    Args:
        folder: The folder; ``.lock`` in it is made, and stays.

    Returns:
        TextIO | None: The open file that holds the lock until it is closed; None where
        the file system knows no locks.

    Raises:
        RuntimeError: If another process has it: names that.
    """
    file = open(Path(folder, '.lock'), 'a+')
    try:
        # Not flock, which the workers of a data loader would hold on to.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read() or 'another process'
        file.close()
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            print_log(
                f'{folder} cannot be locked ({error.strerror}): see to it that no '
                'other training writes there',
                'current',
                logging.WARNING,
            )
            return None
        raise RuntimeError(
            f'work_dir={folder!r}: {owner} is training there, and would write the same '
            'files; choose another --work-dir, or end that one first'
        ) from None
    file.truncate(0)
    file.write(f'process {os.getpid()} on {socket.gethostname()}')
    file.flush()
    return file
