"""Datasets that mmpretrain lacks, in its registry."""

from .checked_load_image import CheckedLoadImageFromFile
from .digits import Digits

__all__ = ['CheckedLoadImageFromFile', 'Digits']
