"""Images as bad weather, cameras and compression leave them."""

import zlib

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

# The benchmark's; imagecorruptions has four more, for choosing hyperparameters.
CORRUPTIONS = (
    'gaussian_noise',
    'shot_noise',
    'impulse_noise',
    'defocus_blur',
    'glass_blur',
    'motion_blur',
    'zoom_blur',
    'snow',
    'frost',
    'fog',
    'brightness',
    'contrast',
    'elastic_transform',
    'pixelate',
    'jpeg_compression',
)
SEVERITIES = (1, 2, 3, 4, 5)


@TRANSFORMS.register_module()
class Corrupt(BaseTransform):
    """Corrupts an image with ``imagecorruptions``, as COCO-C does.

    The transform that mmdet 2 had and its robustness tool still names; like that one,
    it takes the channels in the order in which the image was loaded. The random
    numbers of a corruption follow from the image's ``img_id``, or its path, and the
    corruption: all detectors see the same images, in whatever order and process.
    (Not those of ``impulse_noise`` and ``glass_blur``, which draw from generators
    that cannot be seeded from here.)

    Args:
        corruption: Name of the corruption, such as one of ``CORRUPTIONS``.
        severity: 1 to 5, or 0 to leave the images as they are. Defaults to 1.

    Raises:
        ImportError: If ``imagecorruptions`` is not installed.
        ValueError: If there is no such corruption or severity.

    Source: Benchmarking Robustness in Object Detection,
    https://arxiv.org/abs/1907.07484.
    """

    def __init__(self, corruption: str, severity: int = 1) -> None:
        try:
            from imagecorruptions import corrupt, get_corruption_names
        except ImportError:
            raise ImportError(
                'Corrupt needs imagecorruptions: pip install imagecorruptions-imaug'
            ) from None
        names = get_corruption_names('all')
        if corruption not in names:
            raise ValueError(
                f'corruption={corruption!r} of Corrupt is unknown; choose one of '
                f'{", ".join(names)}'
            )
        if severity not in (0, *SEVERITIES):
            raise ValueError(f'severity={severity} of Corrupt must be 0 to 5')
        self.corruption = corruption
        self.severity = severity
        self._corrupt = corrupt

    def transform(self, results: dict) -> dict:
        """Corrupts ``results['img']``, (H, W, 3) from 0 to 255.

        Raises:
            ValueError: If the image is smaller than 32x32, or has other channels than
                1 or 3; names it.
        """
        if self.severity == 0:
            return results
        height, width, channels = np.atleast_3d(results['img']).shape
        if min(height, width) < 32 or channels not in (1, 3):
            raise ValueError(
                f'{results.get("img_path")}: Corrupt takes images of 32x32 and more '
                f'with 1 or 3 channels, not {height}x{width} with {channels}; take the '
                'image out of the data set'
            )
        image = results.get('img_id', results.get('img_path'))
        seed = zlib.crc32(f'{image} {self.corruption} {self.severity}'.encode())
        state = np.random.get_state()
        np.random.seed(seed)
        try:
            results['img'] = self._corrupt(
                results['img'].astype(np.uint8),
                corruption_name=self.corruption,
                severity=self.severity,
            )
        finally:
            np.random.set_state(state)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(corruption={self.corruption!r}, '
            f'severity={self.severity})'
        )
