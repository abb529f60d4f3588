"""Registers the hooks of famkd, and makes MMEngine safe."""

import famkd.registry  # noqa: F401 (calls famkd.runtime.install)

from .hooks import *  # noqa: F403
