"""Datasets that mmpretrain lacks, in its registry."""

from .digits import Digits

__all__ = ['Digits']
