"""Time and memory of a distillation step of a detector.

    python benchmarks/detection_step.py --size 800 1333 --batch 2 --device cuda

Builds the FAM-KD recipe of a pair of detectors and times, in turns in one process: a
step of the student alone, the teacher's backbone and neck, and a distillation step.
A step is forward, loss, backward and the optimizer. With --naive also the step with
the reference forms (attention by unfolding, a filter of FAM for every pair of
channels at every frequency of the map), where they fit into memory: their filters
alone take 16 bytes x 256 x 256 x H x W with their gradients. Peak memory is measured
in processes of their own: on a GPU what torch allocates, on a CPU by how much the
process grows.
"""

import argparse
from pathlib import Path

from _dense_step import main
from torch import nn

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'famkd' / 'coco'
DEFAULT = 'faster-rcnn_r101_r18'
OTHERS = sorted(
    path.stem.removeprefix('famkd_').partition('_fpn_')[0]
    for path in CONFIGS.glob('famkd_*_fpn_1xb8-*.py')
)
RECIPES = {
    pair: next(CONFIGS.glob(f'famkd_{pair}_fpn_1xb8-*.py'))
    for pair in dict.fromkeys([DEFAULT, *OTHERS])
}


def random_batch(args: argparse.Namespace, model: nn.Module) -> dict:
    """Images of noise with 10 objects each."""
    from mmdet.testing import demo_mm_inputs

    batch = demo_mm_inputs(
        args.batch,
        [[3, *args.size]] * args.batch,
        num_items=[10] * args.batch,
        num_classes=80,
        with_mask=args.pair.startswith('mask'),
    )
    return model.data_preprocessor(batch, True)


if __name__ == '__main__':
    main(__doc__.splitlines()[0], [800, 1333], RECIPES, random_batch)
