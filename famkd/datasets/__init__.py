"""Datasets and transforms that mmpretrain, mmdet and mmseg lack."""

from .checked_load_image import CheckedLoadImageFromFile
from .corrupt import Corrupt
from .digits import Digits

__all__ = ['CheckedLoadImageFromFile', 'Corrupt', 'Digits']
