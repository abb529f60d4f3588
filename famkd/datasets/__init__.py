"""Datasets that mmpretrain lacks, in its registry."""

from .ade20k_scenes import ADE20KScenes
from .checked_load_image import CheckedLoadImageFromFile
from .digits import Digits
from .mit_indoor67 import MITIndoor67

__all__ = ['ADE20KScenes', 'CheckedLoadImageFromFile', 'Digits', 'MITIndoor67']
