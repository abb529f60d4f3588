"""Registers the hooks and the optimizer wrapper of famkd."""

from famkd.checkpoint import guard_mmengine

from .cpu_amp_optim_wrapper import CPUAmpOptimWrapper  # noqa: F401
from .hooks import *  # noqa: F403

guard_mmengine()
