"""COCO annotations that are checked against the config (needs mmdet)."""

from collections.abc import Sequence
from pathlib import Path

from mmdet.datasets import CocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.registry import DATASETS

from .coco_structure import coco_fault


@DATASETS.register_module()
class CheckedCocoDataset(CocoDataset):
    """mmdet's ``CocoDataset``, which does not pass over what does not fit.

    ``CocoDataset`` leaves boxes of unknown categories out without a word, numbers
    the classes in the order of the file whatever ``metainfo`` says, and evaluates a
    file without boxes to -1. It does not look for the images, and takes one of two
    entries with one id. Here these are errors.

    Args:
        **kwargs: Arguments of ``mmdet.CocoDataset``.

    Raises:
        ValueError: If the file has no boxes, entries that are none of COCO (such as a
            box of NaN or of an unknown image), or its categories are not the
            ``classes`` of ``metainfo``, in their order; or if an image is missing.
    """

    class COCOAPI(COCO):
        """The annotation file; where mmdet asks it for the classes, it checks them."""

        def createIndex(self) -> None:  # pycocotools' name
            if fault := coco_fault(self.dataset):
                raise _BadAnnotations(fault)
            super().createIndex()

        def get_cat_ids(self, cat_names: Sequence[str] = (), **kwargs) -> list[int]:
            _check(self, list(cat_names))
            return super().get_cat_ids(cat_names=cat_names, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Reads and checks the annotation file, and looks for the images."""
        try:
            items = super().load_data_list()
        except _BadAnnotations as error:
            raise ValueError(f'ann_file={self.ann_file!r} {error}') from None
        remote = self.backend_args is not None
        paths = [item['img_path'] for item in items]
        missing = [path for path in paths if not (remote or Path(path).is_file())]
        if missing:
            raise ValueError(
                f'{len(missing)} of {len(paths)} images of ann_file={self.ann_file!r} '
                f'are missing: there is no {missing[0]!r}; add them, or correct '
                'data_root and data_prefix.img of the dataset'
            )
        return items


class _BadAnnotations(Exception):
    """Something is wrong with an annotation file."""


def _check(coco: COCO, classes: list[str]) -> None:
    if not coco.anns:
        raise _BadAnnotations(
            "has no boxes ('annotations' is empty or missing); give a file with boxes, "
            "or, to predict without evaluating, use type='CocoDataset'"
        )
    found = [category['name'] for category in coco.dataset['categories']]
    unknown = [name for name in found if name not in classes]
    missing = [name for name in classes if name not in found]
    if unknown:
        raise _BadAnnotations(
            f'has categories that the config does not know: {_first(unknown)}. Its '
            f'classes are {_first(classes)}; add them to dataset.metainfo.classes (and '
            "to num_classes of the heads), or use type='CocoDataset' to leave them out"
        )
    if missing:
        raise _BadAnnotations(
            f'has no category {_first(missing)}, which the config names in '
            f'dataset.metainfo.classes; it has {_first(found)}'
        )
    if found != classes:
        raise _BadAnnotations(
            f'has its categories in the order {_first(found)}, by which mmdet numbers '
            f'the labels; dataset.metainfo.classes has {_first(classes)}: use the '
            'order of the file'
        )


def _first(names: list[str]) -> str:
    return ', '.join(map(repr, names[:5])) + (', ...' if len(names) > 5 else '')
