"""The recipes of segmentors, made tiny and put on generated masks."""

import numpy as np
from PIL import Image


def write_masks(root, images, masks, image_suffix='.jpg', mask_suffix='.png'):
    """Six noisy images of 60x80 with a box of class 1 or 2, and their masks.

    Args:
        root (Path): Where the folders are made.
        images (str): Folder of the images.
        masks (str): Folder of the masks; their first rows are ignored.
        image_suffix (str): End of the names of the images.
        mask_suffix (str): That of the masks.
    """
    rng = np.random.default_rng(0)
    for folder in (images, masks):
        (root / folder).mkdir(parents=True)
    for i in range(6):
        image = rng.integers(0, 60, (60, 80, 3), dtype=np.uint8)
        mask = np.zeros((60, 80), np.uint8)
        y, x = rng.integers(0, 30, 2)
        mask[y : y + 25, x : x + 25] = 1 + i % 2
        image[mask > 0] = (200, 80 * (i % 2), 0)
        mask[:2] = 255
        Image.fromarray(image).save(root / images / f'{i}{image_suffix}')
        Image.fromarray(mask).save(root / masks / f'{i}{mask_suffix}')


def tiny_options(root, iterations, interval):
    """Entries of a CamVid recipe that put it on such masks, in ``images``, ``masks``.

    Args:
        root (Path): Folder of the two.
        iterations (int): Length of the training; it is validated at the end.
        interval (int): Iterations between two checkpoints, all of which are kept.

    Returns:
        dict: Dotted key -> value.
    """
    options = {
        'train_cfg': dict(max_iters=iterations, val_interval=iterations),
        'default_hooks.checkpoint.interval': interval,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'default_hooks.logger.interval': 1,
        'train_dataloader.dataset.pipeline.2.scale': (64, 48),
    }
    for split in ('train', 'val', 'test'):
        dataset = f'{split}_dataloader.dataset'
        options[f'{dataset}.data_root'] = str(root)
        options[f'{dataset}.data_prefix'] = dict(
            img_path='images', seg_map_path='masks'
        )
        if split != 'train':
            options[f'{dataset}.pipeline.1.scale'] = (64, 48)
    return options
