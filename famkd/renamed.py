"""Old names of recipes, from renamed.csv; they work until version 0.3."""

import csv
import warnings
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path


@cache
def read_renamed() -> dict[str, str]:
    """Old name of a recipe -> its name now, both without ``.py``."""
    with open(Path(__file__).with_name('renamed.csv'), encoding='utf-8') as file:
        return {row['old']: row['new'] for row in csv.DictReader(file)}


def current_path(path: str) -> str:
    """The path of a recipe under its present name, with a warning if that is another.

    Args:
        path: Path of a file that is not there.
    """
    folder, slash, name = path.rpartition('/')
    new = read_renamed().get(name.removesuffix('.py'))
    if new is None:
        return path
    warnings.warn(
        f'{name} is now {new}.py; famkd 0.3 will not know the old name',
        FutureWarning,
        stacklevel=2,
    )
    return f'{folder}{slash}{new}.py'


def forwarding(find: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """A function that finds a config in a package, which knows our old names, too.

    Args:
        find: MMEngine's, (folder of the package, path of the config) -> file.
    """

    @wraps(find)
    def found(package_path: str, cfg_name: str) -> str:
        try:
            return find(package_path, cfg_name)
        except FileNotFoundError:
            if Path(package_path).name != 'famkd':
                raise
            return find(package_path, current_path(cfg_name))

    return found
