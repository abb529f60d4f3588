"""Masks of segmentation that are checked against images and classes (needs mmseg)."""

import io
import logging
from pathlib import Path

import numpy as np
from mmengine import fileio
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset, CityscapesDataset
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import DATASETS, TRANSFORMS
from PIL import Image

IGNORED = 255  # mmseg's value of the pixels that neither losses nor metrics look at


class _CheckedFiles:
    """Checks that every image has its mask, and tells the masks how many classes."""

    def load_data_list(self) -> list[dict]:
        if not self.metainfo.get('classes'):
            raise ValueError(
                'metainfo.classes of the dataset is missing: name the classes there, '
                'in the order of their numbers'
            )
        items = super().load_data_list()
        if not items:
            raise ValueError(
                f'data_prefix.img_path={self.data_prefix["img_path"]!r} has no image '
                f'*{self.img_suffix}; correct it, or set img_suffix of the dataset'
            )
        masks = [item['seg_map_path'] for item in items if 'seg_map_path' in item]
        remote = self.backend_args is not None
        missing = [mask for mask in masks if not (remote or Path(mask).is_file())]
        if missing:
            raise ValueError(
                f'{len(missing)} of {len(items)} images have no mask: there is no '
                f'{missing[0]!r}; add the masks, take these images out of '
                f'{self.data_prefix["img_path"]!r}, or set seg_map_suffix of the '
                f'dataset (now {self.seg_map_suffix!r})'
            )
        if masks and not (remote or self.ann_file):
            self._warn_of_masks_without_image(masks)
        for item in items:
            item['num_classes'] = len(self.metainfo['classes'])
        return items

    def _warn_of_masks_without_image(self, masks: list[str]) -> None:
        """Names masks beside those of the images; they may be of another split."""
        folder = Path(self.data_prefix['seg_map_path'])
        others = set(folder.rglob(f'*{self.seg_map_suffix}')) - set(map(Path, masks))
        if others:
            print_log(
                f'{len(others)} masks in {str(folder)!r} have no image '
                f'*{self.img_suffix} and are left out, such as {str(min(others))!r}; '
                'img_suffix of the dataset says how the images end',
                'current',
                logging.WARNING,
            )


@DATASETS.register_module()
class CheckedSegDataset(_CheckedFiles, BaseSegDataset):
    """mmseg's ``BaseSegDataset``, folders of images and masks, whose files are checked.

    Args:
        **kwargs: Arguments of ``BaseSegDataset``.

    Raises:
        ValueError: If there are no images, or images without a mask.
    """


@DATASETS.register_module()
class CheckedCityscapesDataset(_CheckedFiles, CityscapesDataset):
    """mmseg's ``CityscapesDataset``, whose files are checked.

    Args:
        **kwargs: Arguments of ``CityscapesDataset``.

    Raises:
        ValueError: If there are no images, or images without a mask.
    """


@TRANSFORMS.register_module()
class CheckedLoadMask(LoadAnnotations):
    """mmseg's ``LoadAnnotations``, which does not take what no class has.

    ``LoadAnnotations`` takes any file that is an image, and of each number the lowest
    8 bits. What is wrong shows in a loss, as an index error without a name, or never.
    An image without the path of a mask passes: it is to be predicted.

    Args:
        void: Value of the pixels without a label in the file, beside 255. Defaults to
            None.
        **kwargs: Arguments of ``LoadAnnotations``.

    Raises:
        ValueError: If a mask cannot be read, is a colour image or a JPEG, has another
            size than its image, or values that are no class of a
            ``Checked...Dataset``; or if ``void`` is one.
    """

    def __init__(self, void: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.void = void

    def _load_seg_map(self, results: dict) -> None:
        if 'seg_map_path' not in results:
            return  # an image alone: mmseg's inferencer removes LoadAnnotations only
        name = results['seg_map_path']
        try:
            with Image.open(io.BytesIO(fileio.get(name, self.backend_args))) as image:
                problem = _problem(image)
            super()._load_seg_map(results)
        except AssertionError:  # mmseg's, of options that do not go together
            raise
        except Exception as error:
            raise ValueError(
                f'the mask {name!r} cannot be read ({type(error).__name__}: {error}); '
                'replace it, or delete it and its image'
            ) from error
        if problem:
            raise ValueError(f'the mask {name!r} {problem}')
        mask = results['gt_seg_map']
        if mask.ndim != 2:
            raise ValueError(
                f'the mask {name!r} is a colour image; a mask has one channel, in '
                'which each pixel is the number of its class: convert the colours'
            )
        if mask.shape != results['ori_shape']:
            (height, width), image = mask.shape, results['ori_shape']
            raise ValueError(
                f'the mask {name!r} is {width}x{height}, its image '
                f'{results["img_path"]!r} {image[1]}x{image[0]}; they must be of one '
                'size'
            )
        # With reduce_zero_label, 0 is ignored and class 0 is 1 in the file.
        first = int(self.reduce_zero_label)
        classes = results.get('num_classes', IGNORED)
        if self.void is not None:
            if first <= self.void < first + results.get('num_classes', 0):
                raise ValueError(
                    f'void={self.void} of CheckedLoadMask is the number of a class '
                    f'({first} to {first + classes - 1}), none of whose pixels would '
                    'count; correct it, or take the class out of '
                    'dataset.metainfo.classes'
                )
            mask[mask == self.void - first] = IGNORED
        unknown = [value for value in np.unique(mask) if classes <= value < IGNORED]
        if unknown:
            raise ValueError(
                f'the mask {name!r} has the value {unknown[0] + first}, but there are '
                f'{classes} classes, {first} to {first + classes - 1} (255 is ignored);'
                ' correct it, add the class to dataset.metainfo.classes and '
                'num_classes of the heads, or name the value of unlabelled pixels: '
                'void of CheckedLoadMask'
            )


def _problem(image: Image.Image) -> str | None:
    """What is wrong with the kind of file that a mask is."""
    if image.format == 'JPEG':
        return 'is a JPEG, which changes the numbers of the classes; save it as PNG'
    if image.mode[0] in 'IF':  # more than 8 bits
        values = np.asarray(image)
        with np.errstate(invalid='ignore'):  # NaN
            others = values[values != values.astype(np.uint8)]
        if others.size:
            return (
                f'has the value {others[0]}; classes are whole numbers from 0 to 255: '
                'correct it, and save it with 8 bits'
            )
    return None
