"""What to install where a config needs a package that is not there."""

from importlib.util import find_spec

# Optional package -> extra of famkd that installs it.
EXTRAS = {'mmdet': 'det', 'mmseg': 'seg'}


def import_problem(error: ImportError) -> str:
    """One line about why a config or its modules could not be imported.

    Args:
        error: MMEngine's, which may hide what it was, and lists all of ``sys.path``.

    Returns:
        str: What is missing, and how to install it where an extra of famkd does.
    """
    root = error
    while root.__cause__ or root.__context__:
        root = root.__cause__ or root.__context__
    for package in EXTRAS:
        # MMEngine names the distribution, as in onedl-mmsegmentation.
        if package in str(root) and (problem := not_installed(package)):
            return problem
    return str(root)


def not_installed(package: str) -> str | None:
    """What to install for an optional package; None if it is there."""
    if package not in EXTRAS or find_spec(package) is not None:
        return None
    return (
        f'{package} is not installed; it is needed here: pip install -e '
        f"'.[{EXTRAS[package]}]' in the checkout of famkd"
    )
