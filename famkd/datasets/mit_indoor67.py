"""MIT Indoor 67."""

from pathlib import Path

from mmpretrain.registry import DATASETS

from .scene_list import SceneList


@DATASETS.register_module()
class MITIndoor67(SceneList):
    """`MIT Indoor 67 <https://web.mit.edu/torralba/www/indoor.html>`_: 67 rooms.

    Expected below ``data_root``::

        train.txt, val.txt            lines such as train/gameroom/bt_1 a.jpg
        train/CLASS/*.jpg             5,360 images
        val/CLASS/*.jpg               1,340 images

    A line is a path below ``data_root``, which may hold spaces; the class is the
    folder of the image. Arguments are those of :class:`SceneList`.
    """

    NUM_CLASSES = 67

    def list_file(self, split: str) -> Path:
        """``train.txt`` or ``val.txt``."""
        return Path(self.data_root, f'{split}.txt')

    def read_line(self, line: str, split: str) -> tuple[Path, str]:
        """A line ``train/gameroom/file.jpg``."""
        image = Path(line.lstrip('/'))
        if len(image.parts) < 3:
            raise ValueError(f'{line!r} is no path such as {split}/CLASS/IMAGE.jpg')
        return image, image.parts[-2]
