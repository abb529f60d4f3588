"""CIFAR-100 as image files in one folder for each class."""

import logging
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmpretrain.datasets import CIFAR100, BaseDataset
from mmpretrain.registry import DATASETS
from PIL import Image


@DATASETS.register_module()
class CIFAR100Folders(BaseDataset):
    """CIFAR-100 as ``data_root/{train,test}/CLASS/*.png``.

    It takes the place of mmpretrain's ``CIFAR100``, which reads the official archive:
    same labels, same pipelines (images of 32x32 in memory, RGB). All files are read
    when the training begins, in a few seconds.

    Args:
        data_root: Folder of the data set.
        split: ``'train'`` or ``'test'``. Defaults to ``'train'``.
        **kwargs: Further arguments of :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        FileNotFoundError: If there is no folder of the split, or no image in it.
        ValueError: If a folder is none of the 100 classes, or a file no image of 32x32.
    """

    METAINFO = CIFAR100.METAINFO

    def __init__(self, data_root: str, split: str = 'train', **kwargs) -> None:
        if split not in ('train', 'test'):
            raise ValueError(
                f"CIFAR100Folders: split must be 'train' or 'test', got {split!r}"
            )
        self.split = split
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Reads all images; labels are the places of the classes in the alphabet."""
        root = Path(self.data_root, self.split)
        labels = {name: i for i, name in enumerate(self.metainfo['classes'])}
        folders = [path for path in _visible(root) if path.is_dir()]
        for folder in folders:
            if folder.name not in labels:
                raise ValueError(
                    f'{folder} is no class of CIFAR-100; its folders are named '
                    'apple, aquarium_fish, ..., worm'
                )
        images = [
            dict(img=_read(path), gt_label=labels[folder.name])
            for folder in folders
            for path in _visible(folder)
        ]
        if not images:
            raise FileNotFoundError(
                f'there are no images {root}/CLASS/*.png; CIFAR100Folders expects '
                f'them in data_root={str(self.data_root)!r}, as docs/datasets.md shows'
            )
        found = {image['gt_label'] for image in images}
        if missing := [name for name, label in labels.items() if label not in found]:
            print_log(
                f'{root}: no images of {len(missing)} of the {len(labels)} classes '
                f'({missing[0]}, ...)',
                'current',
                logging.WARNING,
            )
        return images


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, without what desktops hide there (``.DS_Store``)."""
    return sorted(path for path in folder.glob('*') if not path.name.startswith('.'))


def _read(path: Path) -> np.ndarray:
    try:
        image = np.asarray(Image.open(path).convert('RGB'))
    except OSError as error:
        raise ValueError(
            f'the image {str(path)!r} cannot be read ({error}); replace or delete it'
        ) from error
    if image.shape != (32, 32, 3):
        height, width = image.shape[:2]
        raise ValueError(
            f'the image {str(path)!r} has {width}x{height} pixels, those of CIFAR-100 '
            'have 32x32; its networks and crops are made for these'
        )
    return image
