"""Features of a frozen teacher on disk, so that training need not compute them."""

import json
import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

from .cache_note import AGAIN, NOTE, read_note

DTYPE = torch.bfloat16
# Images normalised by other devices and JPEG decoders differ by less.
TOLERANCE = 0.02


class FeatureCache:
    """A folder of features, one file for each recorded stage, memory-mapped.

    ``features.json`` says what they are of: ``key`` (teacher, stages and what else
    they depend on), ``shapes`` and ``images``, the row and the :func:`image_sums` of
    each image by its name. The files hold the rows in bfloat16.

    Args:
        path: Folder that :func:`write_features` has written.
        key: What the features shall be of.
        recorders: Names of the recorders whose features are wanted. Defaults to ().

    Raises:
        FileNotFoundError: If there is no cache.
        ValueError: If it is of something else, lacks features, or is damaged; names
            what is wrong.
    """

    def __init__(
        self,
        path: str | Path,
        key: Mapping[str, object],
        recorders: Collection[str] = (),
    ) -> None:
        self.path = Path(path)
        if not (self.path / NOTE).is_file():
            raise FileNotFoundError(
                f"feature_cache='{path}': there are no features; write them with "
                'tools/cache_teacher.py CONFIG'
            )
        note = read_note(path)
        check_key(note['key'], key, path)
        for name in recorders:
            if name not in note['shapes']:
                raise ValueError(
                    f"feature_cache='{path}' holds {', '.join(note['shapes'])} of the "
                    f'teacher, but no {name}; {AGAIN}'
                )
        self._images = note['images']
        self._rows = {
            name: _map(self.path / name, [len(self._images), *shape], write=False)
            for name, shape in note['shapes'].items()
        }

    def __deepcopy__(self, memo: dict) -> 'FeatureCache':
        """Itself: nothing of it changes."""
        return self

    def read(
        self, images: Tensor, data_samples: Sequence[BaseDataElement]
    ) -> dict[str, Tensor]:
        """The features of a batch.

        Args:
            images: The batch (N, C, H, W), preprocessed.
            data_samples: Its data samples, with the names of the images.

        Returns:
            dict: Name of the recorder -> features (N, ...), on the device and in the
            precision of the images.

        Raises:
            ValueError: If an image is not in the cache, or looked otherwise there, or
                its features are damaged.
        """
        names = image_names(data_samples)
        for name in names:
            if name not in self._images:
                raise ValueError(
                    f"feature_cache='{self.path}' has no features of {name}; {AGAIN}"
                )
        found = [self._images[name] for name in names]
        expected = torch.tensor([total for _, total in found])
        apart = (image_sums(images).cpu() - expected).abs() > TOLERANCE
        if apart.any():
            raise ValueError(
                f"feature_cache='{self.path}': {names[int(apart.nonzero()[0])]} is not "
                'the image that the features are of: the pipeline is another one, or '
                'changes images at random (flips, crops, mixup). Train with the '
                f'pipeline of the cache, or {AGAIN}'
            )
        index = torch.tensor([row for row, _ in found])
        features = {name: rows[index] for name, rows in self._rows.items()}
        for recorder, values in features.items():
            spoilt = ~values.flatten(1).isfinite().all(1)
            if spoilt.any():
                raise ValueError(
                    f'feature_cache: the features of {names[int(spoilt.nonzero()[0])]} '
                    f'in {self.path / recorder} are not finite: the file is damaged; '
                    f'{AGAIN}'
                )
        return {name: values.to(images) for name, values in features.items()}


def write_features(
    path: str | Path,
    key: Mapping[str, object],
    count: int,
    batches: Iterator[tuple[list[str], Tensor, dict[str, Tensor]]],
) -> None:
    """Writes a cache; it appears under its name when it is complete.

    Args:
        path: The folder.
        key: What the features are of.
        count: Number of images.
        batches: For each batch the names of its images, the images as the algorithm
            gets them, and the features by recorder.

    Raises:
        ValueError: If two images have one name, or features differ in shape.
    """
    path = Path(path)
    part = path.with_name(f'{path.name}.part')
    part.mkdir(parents=True, exist_ok=True)
    images, rows = {}, {}
    for names, batch, features in batches:
        index = range(len(images), len(images) + len(names))
        for name, i, total in zip(names, index, image_sums(batch), strict=True):
            if name in images:
                raise ValueError(
                    f'two images have the name {name}; take a dataset of images that '
                    'have a file each (img_path), without repetitions'
                )
            images[name] = i, total.item()
        for name, feature in features.items():
            if name not in rows:
                rows[name] = _map(part / name, [count, *feature.shape[1:]], write=True)
            if rows[name].shape[1:] != feature.shape[1:]:
                raise ValueError(
                    f'{name} of the teacher is {tuple(feature.shape[1:])} for '
                    f'{names[0]}, but {tuple(rows[name].shape[1:])} before; a cache '
                    'needs images of one size: resize and crop them in the pipeline'
                )
            rows[name][index.start : index.stop] = feature.to('cpu', DTYPE)
    shapes = {name: list(values.shape[1:]) for name, values in rows.items()}
    note = dict(key=key, shapes=shapes, images=images)
    (part / NOTE).write_text(json.dumps(note))
    for file in part.iterdir():
        if file.name not in {*rows, NOTE}:  # of a run with more stages, killed
            file.unlink()
            continue
        with open(file) as opened:
            os.fsync(opened.fileno())  # or the power may fail after the new name
    part.rename(path)


def check_key(
    found: Mapping[str, object], key: Mapping[str, object], path: str | Path
) -> None:
    """Checks that a cache is of what it shall be of.

    Raises:
        ValueError: If it is of something else; names what differs.
    """
    for name, value in json.loads(json.dumps(key)).items():
        if found.get(name) != value:
            raise ValueError(
                f"feature_cache='{path}' is of another {name}: {found.get(name)}, here "
                f'{value}; name the cache of this one, or write it to another folder, '
                'with tools/cache_teacher.py CONFIG --out DIR'
            )


def image_names(data_samples: Sequence[BaseDataElement]) -> list[str]:
    """The names of images: their file, or their number where they have none.

    Raises:
        ValueError: If a data sample has neither.
    """
    names = [
        sample.get('img_path', sample.get('sample_idx')) for sample in data_samples
    ]
    if None in names:
        raise ValueError(
            'feature_cache: the data samples name no image; add img_path to meta_keys '
            'of the transform that packs the inputs'
        )
    return [str(name) for name in names]


def image_sums(images: Tensor) -> Tensor:
    r"""A number for each image that tells it from a changed one.

    .. math:: \frac{1}{\sqrt n} \sum_k w_k x_k, \qquad w_k \sim \mathcal{N}(0, 1)

    over its n values, with fixed random weights: of the size of a value, however large
    the image is.

    Args:
        images: Shape (N, ...).

    Returns:
        Tensor: Shape (N,), float32.
    """
    values = images.flatten(1).float()
    weights = _weights(values.shape[1], values.device)
    with torch.autocast(values.device.type, enabled=False):  # the same with --amp
        return values @ weights / math.sqrt(values.shape[1])


@lru_cache(maxsize=1)
def _weights(count: int, device: torch.device) -> Tensor:
    """Normally distributed numbers, always the same."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, generator=generator).to(device)


def _map(file: Path, shape: list[int], write: bool) -> Tensor:
    """A tensor whose memory is a file; one that is read must have its size."""
    size = torch.Size(shape).numel()
    if not write:
        found = file.stat().st_size if file.is_file() else 0
        if found != size * DTYPE.itemsize:
            raise ValueError(
                f'feature_cache: {file} has {found} bytes, for {shape} it needs '
                f'{size * DTYPE.itemsize}: it is damaged or incomplete; {AGAIN}'
            )
    else:
        with open(file, 'ab') as opened:  # a run that was killed may have left more
            opened.truncate(size * DTYPE.itemsize)
    values = torch.from_file(str(file), shared=write, size=size, dtype=DTYPE)
    return values.view(shape)
