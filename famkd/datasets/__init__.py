"""Datasets and transforms that mmpretrain, mmdet and mmseg lack."""

from .ade20k_scenes import ADE20KScenes
from .checked_load_image import CheckedLoadImageFromFile
from .checked_sun397 import CheckedSUN397
from .cifar100_folders import CIFAR100Folders
from .corrupt import Corrupt
from .digits import Digits
from .mit_indoor67 import MITIndoor67

__all__ = [
    'ADE20KScenes',
    'CIFAR100Folders',
    'CheckedLoadImageFromFile',
    'CheckedSUN397',
    'Corrupt',
    'Digits',
    'MITIndoor67',
]
