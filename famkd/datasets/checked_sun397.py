"""SUN397, whose list files and images are looked for before the training."""

from pathlib import Path

from mmpretrain.datasets import SUN397
from mmpretrain.registry import DATASETS

from famkd.names import first_names

from .list_files import check_images, read_list


@DATASETS.register_module()
class CheckedSUN397(SUN397):
    """mmpretrain's ``SUN397``, which does not wait for what is not there.

    ``SUN397`` finds out that an image is missing when its turn comes, perhaps after
    hours. Here the whole list is checked at once.

    Args:
        **kwargs: Arguments of ``mmpretrain.SUN397``: ``data_root``, ``split``.

    Raises:
        FileNotFoundError: If the list file or some of its images are not there.
        ValueError: If the list names no image, or a scene that is none of the 397.
    """

    def load_data_list(self) -> list[dict]:
        """Reads the list and checks that the images are there."""
        path, root = Path(self.ann_file), str(self.data_root)
        lines = read_list(path, root, type(self).__name__)
        lines = [line.strip() for line in lines if line.strip()]
        scenes = ['_'.join(line.split('/')[2:-1]) for line in lines]
        labels = {name: i for i, name in enumerate(self.METAINFO['classes'])}
        pairs = zip(lines, scenes, strict=True)
        if bad := [line for line, scene in pairs if scene not in labels]:
            raise ValueError(
                f'{path}: {len(bad)} lines name none of the {len(labels)} scenes: '
                f'{first_names(map(repr, bad))}; expected lines such as '
                "'/a/abbey/sun_aaalbzqrimafwbiv.jpg'"
            )
        images = [Path('SUN397', line.lstrip('/')) for line in lines]
        check_images(path, root, images)
        return [
            dict(img_path=str(Path(root, image)), gt_label=labels[scene])
            for image, scene in zip(images, scenes, strict=True)
        ]
