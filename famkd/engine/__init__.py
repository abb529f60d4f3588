"""Registers the hooks and the optimizer wrapper of famkd."""

from .cpu_amp_optim_wrapper import CPUAmpOptimWrapper  # noqa: F401
from .hooks import *  # noqa: F403
