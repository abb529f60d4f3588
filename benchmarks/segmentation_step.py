"""Time and memory of a distillation step of a segmentor.

    python benchmarks/segmentation_step.py --size 256 512 --batch 2

Builds the FAM-KD recipe of a pair of segmentors and times, in turns in one process: a
step of the student alone, the teacher's backbone, and a distillation step. The rest is
as for detectors, see detection_step.py.
"""

import argparse
from pathlib import Path

import torch
from _dense_step import main
from torch import nn

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'famkd' / 'cityscapes'
PROTOCOL = '4xb4-40k_cityscapes-512x512'
DEFAULT = 'pspnet_r101_r18'
OTHERS = sorted(
    path.stem.removeprefix('famkd_').removesuffix(f'_{PROTOCOL}')
    for path in CONFIGS.glob(f'famkd_*_{PROTOCOL}.py')
)
RECIPES = {
    pair: CONFIGS / f'famkd_{pair}_{PROTOCOL}.py'
    for pair in dict.fromkeys([DEFAULT, *OTHERS])
}


def random_batch(args: argparse.Namespace, model: nn.Module) -> dict:
    """Images of noise, with noise of 19 classes as their masks."""
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    size = tuple(args.size)
    masks = torch.randint(0, 19, (args.batch, 1, *size), device=args.device)
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(data=mask),
            metainfo=dict(img_shape=size, ori_shape=size),
        )
        for mask in masks
    ]
    images = torch.randn(args.batch, 3, *size, device=args.device)
    return dict(inputs=images, data_samples=samples)


if __name__ == '__main__':
    main(__doc__.splitlines()[0], [512, 512], RECIPES, random_batch)
