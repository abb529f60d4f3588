"""Scenes whose images and classes stand in two list files."""

import logging
from abc import abstractmethod
from pathlib import Path

from mmengine.logging import print_log
from mmpretrain.datasets import BaseDataset

from famkd.names import first_names

from .list_files import check_images, read_list


class SceneList(BaseDataset):
    """Images and their scenes, as a list file for training and one for validation name.

    The classes are the names in both lists, sorted, unless ``metainfo`` has them.

    Args:
        data_root: Folder of the data set.
        split: ``'train'`` or ``'val'``. Defaults to ``'train'``.
        num_classes: How many classes the network has. Defaults to None, that of the
            data set.
        **kwargs: Further arguments of :class:`mmpretrain.datasets.BaseDataset`,
            ``pipeline`` first of all.

    Raises:
        FileNotFoundError: If a list file, the folder of the images or some of them are
            not there.
        ValueError: If the split is unknown, a line of a list cannot be read, or there
            are more classes than the network has.
    """

    NUM_CLASSES: int

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        num_classes: int | None = None,
        **kwargs,
    ) -> None:
        if split not in ('train', 'val'):
            raise ValueError(
                f"{type(self).__name__}: split must be 'train' or 'val', got {split!r}"
            )
        self.split = split
        self.num_classes = num_classes or self.NUM_CLASSES
        kwargs.setdefault('test_mode', split == 'val')
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    @abstractmethod
    def list_file(self, split: str) -> Path:
        """The list file of a split."""

    @abstractmethod
    def read_line(self, line: str, split: str) -> tuple[Path, str]:
        """The image, below the folder of the data set, and the scene of a line.

        Raises:
            ValueError: If the line has another form.
        """

    def load_data_list(self) -> list[dict]:
        """Reads the lists and checks that the images are there."""
        lists = {split: self._read(split) for split in ('train', 'val')}
        names = {split: {name for _, name in lists[split]} for split in lists}
        index = {name: i for i, name in enumerate(self._classes(names))}
        if unseen := names['val'] - names['train']:
            print_log(
                f'{self.list_file("val")}: {len(unseen)} classes are not in '
                f'{self.list_file("train")}, so no network can learn them: '
                f'{first_names(sorted(unseen))}',
                'current',
                logging.WARNING,
            )
        check_images(
            self.list_file(self.split),
            str(self.data_root),
            [image for image, _ in lists[self.split]],
        )
        return [
            dict(img_path=str(Path(self.data_root, image)), gt_label=index[name])
            for image, name in lists[self.split]
        ]

    def _read(self, split: str) -> list[tuple[Path, str]]:
        path = self.list_file(split)
        lines = read_list(path, str(self.data_root), type(self).__name__)
        entries = []
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    entries.append(self.read_line(line.strip(), split))
                except ValueError as error:
                    raise ValueError(f'{path}, line {number}: {error}') from None
        return entries

    def _classes(self, names: dict[str, set[str]]) -> list[str]:
        """The classes, in the order of the labels."""
        found = sorted(names['train'] | names['val'])
        given = self.metainfo.get('classes')
        if given is not None and (unknown := sorted(set(found) - set(given))):
            raise ValueError(
                f'the lists of {str(self.data_root)!r} name classes that are not among '
                f"the {len(given)} of metainfo['classes']: {first_names(unknown)}"
            )
        classes = list(given or found)
        if len(classes) > self.num_classes:
            raise ValueError(
                f'the lists of {str(self.data_root)!r} name {len(classes)} classes, '
                f'but num_classes={self.num_classes}: labels would lie beyond those of '
                'the network; use the lists of the data set, or set num_classes of the '
                'dataset, the head and the data_preprocessor'
            )
        if len(classes) < self.num_classes:
            print_log(
                f'the lists of {str(self.data_root)!r} name {len(classes)} classes of '
                f'{self.num_classes}',
                'current',
                logging.WARNING,
            )
        self._metainfo['classes'] = tuple(classes)
        return classes

    def extra_repr(self) -> list[str]:
        """Lines that ``repr`` adds to those of the base class."""
        return [f'Root of dataset: \t{self.data_root}', f'Split: \t{self.split}']
