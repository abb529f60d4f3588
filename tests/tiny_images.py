"""A data set of a few random images, in memory."""

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class TinyImages(BaseDataset):
    """Random images with ``img`` (uint8) and ``gt_label``.

    Args:
        length (int): How many images.
        size (int): Their height and width.
        num_classes (int): Labels go round from 0 to this minus 1.
        **kwargs: Other arguments of mmpretrain's ``BaseDataset``.
    """

    def __init__(self, length, size, num_classes, **kwargs):
        self.length, self.size, self.num_classes = length, size, num_classes
        classes = [str(i) for i in range(num_classes)]
        super().__init__(
            ann_file='',
            metainfo=dict(classes=classes),
            serialize_data=False,
            **kwargs,
        )

    def load_data_list(self):
        shape = (self.length, self.size, self.size, 3)
        images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        return [
            dict(img=image, gt_label=i % self.num_classes)
            for i, image in enumerate(images)
        ]
