"""MMEngine's readers of pickle and YAML, which would run what is in a file."""

from typing import Any, BinaryIO, TextIO

import yaml
from mmengine.fileio.handlers import PickleHandler, YamlHandler, file_handlers

from .safe_load import is_trusted


class RefusingPickleHandler(PickleHandler):
    """Writes pickles, and reads none of those that others may have written."""

    def load_from_fileobj(self, file: BinaryIO, **kwargs) -> Any:
        """Reads a pickle, if files are trusted.

        Raises:
            ValueError: If they are not.
        """
        if not is_trusted():
            raise ValueError(
                'a .pkl file is refused: reading it may run code that is in it; '
                'convert it to .json, or, if you trust whoever made it, add '
                '--trust-checkpoint'
            )
        return super().load_from_fileobj(file, **kwargs)


class SafeYamlHandler(YamlHandler):
    """Reads plain values from YAML, and makes no objects."""

    def load_from_fileobj(self, file: TextIO, **kwargs) -> Any:
        """Reads a file; anything, as MMEngine does, if files are trusted."""
        if not is_trusted():
            kwargs.setdefault('Loader', yaml.SafeLoader)
        return super().load_from_fileobj(file, **kwargs)


def replace_handlers() -> None:
    """Lets ``mmengine.load`` read by these, wherever a package calls it."""
    for name in ('pickle', 'pkl'):
        file_handlers[name] = RefusingPickleHandler()
    for name in ('yaml', 'yml'):
        file_handlers[name] = SafeYamlHandler()
