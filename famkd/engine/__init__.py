"""Registers the hooks of famkd."""

from .hooks import *  # noqa: F403
