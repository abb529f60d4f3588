"""Handwritten digits, for the demo."""

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class Digits(BaseDataset):
    """Handwritten digits, bundled with scikit-learn: real images, no download.

    1,797 grey images of 8x8 pixels in 10 classes (the test part of the `UCI
    optical recognition of handwritten digits set
    <https://archive.ics.uci.edu/dataset/80>`_). Always split the same way,
    stratified by class: 1,000 for training, 797 for testing.

    An item has ``img``, uint8 of shape (8, 8, 3) with three equal channels, and
    ``gt_label``. Resize it in the pipeline.

    Args:
        split: 'train' or 'test'. Defaults to 'train'.
        num_per_class: Take only so many images of each class, the
            first ones of the split. Defaults to None, which takes all.
        **kwargs: Other arguments of :class:`mmpretrain.datasets.BaseDataset`,
            ``pipeline`` first of all.

    Raises:
        ValueError: If the split is unknown, or has fewer than ``num_per_class``
            images of some class.
    """

    METAINFO = {'classes': tuple('0123456789')}

    def __init__(
        self, split: str = 'train', num_per_class: int | None = None, **kwargs
    ) -> None:
        if split not in ('train', 'test'):
            raise ValueError(f"Digits: split must be 'train' or 'test', got {split!r}")
        self.split = split
        self.num_per_class = num_per_class
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the images and labels of the split."""
        try:
            from sklearn.datasets import load_digits
            from sklearn.model_selection import train_test_split
        except ImportError as error:
            raise ImportError(
                'Digits needs scikit-learn; install it: pip install scikit-learn '
                '(it is in the extra "demo" of famkd)'
            ) from error

        digits = load_digits()
        train, test = train_test_split(
            np.arange(len(digits.target)),
            train_size=1000,
            stratify=digits.target,
            random_state=0,
        )
        chosen = train if self.split == 'train' else test
        if self.num_per_class is not None:
            chosen = self._first_of_each_class(chosen, digits.target[chosen])

        grey = (digits.images * (255 / 16)).round().astype(np.uint8)
        return [
            dict(
                img=np.repeat(grey[i, ..., None], 3, 2), gt_label=int(digits.target[i])
            )
            for i in chosen
        ]

    def _first_of_each_class(
        self, indices: np.ndarray, labels: np.ndarray
    ) -> np.ndarray:
        smallest = np.bincount(labels).min()
        if not 1 <= self.num_per_class <= smallest:
            raise ValueError(
                f'Digits: num_per_class must be 1 to {smallest} for the '
                f'{self.split} split, got {self.num_per_class}'
            )
        firsts = [np.flatnonzero(labels == c)[: self.num_per_class] for c in range(10)]
        return indices[np.sort(np.concatenate(firsts))]

    def extra_repr(self) -> list[str]:
        """Lines that :meth:`__repr__` adds to the base class's."""
        return [f'Split: \t{self.split}']
