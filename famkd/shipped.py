"""The configs that famkd ships lie in ``famkd/.mim``, which its installation makes."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

MIM = Path(__file__).with_name('.mim')


class NotInstalledError(FileNotFoundError):
    """famkd is imported from a checkout that was never installed."""


def check_installed() -> None:
    """Makes sure that famkd's configs are where MMEngine looks for them.

    Raises:
        NotInstalledError: If they are not; says what to run.
    """
    if not MIM.exists():
        raise NotInstalledError(
            f'famkd is imported from {MIM.parent} without being installed, so that it '
            f'has no configs; run: pip install --no-deps -e {MIM.parents[1]}'
        )


def checking(locate: Callable[[str], str]) -> Callable[[str], str]:
    """A function that finds a package, and makes sure of famkd's configs.

    Args:
        locate: MMEngine's, name of the package -> its folder.
    """

    @wraps(locate)
    def located(package: str) -> str:
        if package == 'famkd':
            check_installed()
        return locate(package)

    return located
