"""Reading all recipes in seconds."""

from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture(scope='session', autouse=True)
def read_once():
    """MMEngine reads a base for every recipe."""
    read = cache(Config._file2dict)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Config,
            '_file2dict',
            staticmethod(lambda *args, **kwargs: deepcopy(read(*args, **kwargs))),
        )
        yield


@pytest.fixture(scope='session')
def load(read_once):
    """Function (recipe): its config; the recipe is a path below ``configs/``."""
    import famkd.registry  # noqa: F401 (lets a config inherit from 'famkd::...')

    return lambda recipe: Config.fromfile(CONFIGS / recipe)
