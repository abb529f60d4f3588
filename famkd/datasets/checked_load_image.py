"""Loading of images from a folder in which some may be broken."""

import logging

from mmcv.transforms import LoadImageFromFile
from mmengine.logging import print_log
from mmengine.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile``, with a clear answer to unreadable files.

    That class does not name an empty file, and with ``ignore_empty`` it still stops
    at a file that is no image. Here each of them is named, and it is an error unless
    they shall be skipped.

    OpenCV, the default ``imdecode_backend``, takes a JPEG that ends early and leaves
    the rest grey; with ``'pillow'`` that file is unreadable.

    Args:
        skip_unreadable: Whether to go on without such a file: a warning names it
            and the dataset takes another image. Not in validation and tests, whose
            result would be of other images. Defaults to False.
        **kwargs: Arguments of ``LoadImageFromFile``.

    Raises:
        ValueError: If the file is missing or no readable image.
    """

    def __init__(self, skip_unreadable: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.skip_unreadable = skip_unreadable
        self._skipped = set()

    def transform(self, results: dict) -> dict | None:
        """Loads the image; None where it is skipped."""
        path = results['img_path']
        try:
            return super().transform(results)
        except Exception as error:
            if not self.skip_unreadable:
                raise ValueError(
                    f'the image {path!r} cannot be read ({type(error).__name__}: '
                    f'{error}); replace or delete it, or set skip_unreadable=True in '
                    'CheckedLoadImageFromFile of the training pipeline'
                ) from error
        if path not in self._skipped:
            self._skipped.add(path)
            print_log(f'skipped unreadable image {path!r}', 'current', logging.WARNING)
        return None
