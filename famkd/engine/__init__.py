"""Registers the hooks of famkd."""

import famkd.runtime  # noqa: F401
from famkd.runtime.safe_load import guard_mmengine

from .hooks import *  # noqa: F403

guard_mmengine()
