"""Scene labels of ADE20K."""

from pathlib import Path

from mmpretrain.registry import DATASETS

from .scene_list import SceneList


@DATASETS.register_module()
class ADE20KScenes(SceneList):
    """The scenes of `ADE20K <https://ade20k.csail.mit.edu>`_: 1,055 classes.

    Expected below ``data_root``, that of ADEChallengeData2016::

        sceneCategories_training.txt   lines such as ADE_train_00000001 airport_terminal
        sceneCategories_validation.txt
        images/training/*.jpg            20,210 images
        images/validation/*.jpg          2,000 images

    Lists and folders may also end in ``train`` and ``val``. 15 classes are in the
    validation list only. Arguments are those of :class:`SceneList`.
    """

    NUM_CLASSES = 1055
    # The names that a split goes by, the first is that of the data set.
    NAMES = dict(train=('training', 'train'), val=('validation', 'val'))

    def list_file(self, split: str) -> Path:
        """``sceneCategories_training.txt`` or ``sceneCategories_validation.txt``."""
        return self._find('sceneCategories_{}.txt', split)

    def read_line(self, line: str, split: str) -> tuple[Path, str]:
        """A line ``ADE_train_00000001 airport_terminal``."""
        words = line.split()
        if len(words) != 2:
            raise ValueError(f'{line!r} is no name of an image and of a scene')
        name, scene = words
        return self._images[split] / f'{name}.jpg', scene

    def load_data_list(self) -> list[dict]:
        """Reads the lists and checks that the images are there."""
        root = Path(self.data_root)
        self._images = {
            split: self._find('images/{}', split).relative_to(root)
            for split in self.NAMES
        }
        return super().load_data_list()

    def _find(self, pattern: str, split: str) -> Path:
        """The files of a pattern that are there, or else what should be."""
        paths = [Path(self.data_root, pattern.format(n)) for n in self.NAMES[split]]
        return next((path for path in paths if path.exists()), paths[0])
