"""Registers every famkd component in the registries of MMRazor and mmpretrain."""

from famkd.compat import import_mmrazor

import_mmrazor()

from famkd import registry  # noqa: E402, F401

from . import pretrained  # noqa: E402, F401
from .algorithms import *  # noqa: E402, F403
from .backbones import *  # noqa: E402, F403
from .connectors import *  # noqa: E402, F403
from .distillers import *  # noqa: E402, F403
from .losses import *  # noqa: E402, F403
