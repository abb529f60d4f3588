"""Writing the features of a teacher to disk, image by image of a training set."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.config_checks.data import datasets_in

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.dataset import BaseDataset
    from mmengine.model import BaseModel
    from torch import Tensor
    from torch.utils.data import DataLoader

BYTES = 2  # of a value in bfloat16
PROBED = 16  # images that are loaded twice


def random_transforms(cfg: 'Config') -> list[str]:
    """The transforms of the training that change an image at random.

    Those that say so (as mmcv's and mmpretrain's do) or are named so.

    Args:
        cfg: The config.
    """
    from mmengine.registry import TRANSFORMS

    names = []
    with TRANSFORMS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        for _, dataset in datasets_in(cfg.train_dataloader.dataset, ''):
            for step in _transforms_in(dataset.get('pipeline') or []):
                kind = step['type']
                found = registry.get(kind) if isinstance(kind, str) else kind
                name = kind if isinstance(kind, str) else kind.__name__
                if 'Random' in name or getattr(found, '_methods_with_randomness', ()):
                    names.append(name)
    return names


def changes_by_itself(dataset: 'BaseDataset') -> bool:
    """Whether one of the first images is another one when it is loaded again."""
    import torch
    from mmengine.runner import set_random_seed

    for index in range(min(PROBED, len(dataset))):
        loaded = []
        for seed in (0, 1):
            set_random_seed(seed)
            loaded.append(dataset[index]['inputs'])
        if loaded[0].shape != loaded[1].shape or not torch.equal(*loaded):
            return True
    return False


def feature_batches(
    model: 'BaseModel', loader: 'DataLoader'
) -> 'Iterator[tuple[list[str], Tensor, dict[str, Tensor]]]':
    """The names, the preprocessed images and the teacher's features of all batches.

    Args:
        model: A ``FeatureDistill``.
        loader: Its training data.
    """
    from famkd.models.algorithms.feature_cache import image_names

    for batch in loader:
        data = model.data_preprocessor(batch, True)
        features = model.teacher_features(data['inputs'], data['data_samples'])
        yield image_names(data['data_samples']), data['inputs'], features


def gigabytes(features: 'dict[str, Tensor]', images: int) -> float:
    """What the features of so many images take on disk.

    Args:
        features: Those of a batch.
        images: Number of images.
    """
    values = sum(feature[0].numel() for feature in features.values())
    return values * BYTES * images / 1e9


def free_gigabytes(path: str | Path) -> float:
    """What the disk of a folder, which need not exist yet, has left."""
    folder = Path(path).absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / 1e9


def _transforms_in(steps: object) -> Iterator[dict]:
    """All transforms of a pipeline, those inside others, too."""
    if isinstance(steps, dict):
        if 'type' in steps:
            yield steps
        steps = list(steps.values())
    if isinstance(steps, (list, tuple)):
        for step in steps:
            yield from _transforms_in(step)
