"""Draw what a network is trained on: images after the pipeline, with their labels.

    python tools/misc/browse_dataset.py CONFIG [--phase train] [--number 20] [--out DIR]

CONFIG is a file, or PACKAGE::FILE for one that an installed package ships. The pictures
are those of the package's visualizer: class names, boxes or masks.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.cli import add_cfg_options_argument, find_config, merge_cfg_options
from famkd.apis.config_checks.data import check_data

if TYPE_CHECKING:
    from mmengine.visualization import Visualizer


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Draw what a network is trained on, with labels.'
    )
    parser.add_argument('config', metavar='CONFIG', help='file, or PACKAGE::FILE')
    parser.add_argument('--phase', choices=['train', 'val', 'test'], default='train')
    parser.add_argument(
        '--number', type=int, default=20, help='how many images; default: 20'
    )
    parser.add_argument(
        '--out', metavar='DIR', help='default: ./work_dirs/NAME_OF_CONFIG/PHASE_images'
    )
    add_cfg_options_argument(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    from mmengine.config import Config
    from mmengine.registry import DATASETS, VISUALIZERS, init_default_scope

    parser = build_parser()
    args = parser.parse_args(argv)
    cfg = Config.fromfile(find_config(parser, args.config))
    merge_cfg_options(parser, cfg, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    loader = cfg.get(f'{args.phase}_dataloader')
    if not loader:
        parser.error(f'--phase: the config has no {args.phase}_dataloader')
    check_data(parser, cfg, [args.phase])
    out = Path(args.out or f'work_dirs/{Path(args.config).stem}/{args.phase}_images')
    dataset = DATASETS.build(loader.dataset)
    out.mkdir(parents=True, exist_ok=True)
    visualizer = VISUALIZERS.build(
        {'name': 'browse_dataset', **cfg.visualizer, 'vis_backends': []}
    )
    visualizer.dataset_meta = dataset.metainfo
    count = min(args.number, len(dataset))
    # Files are read as BGR; data sets without files, such as CIFAR, give RGB.
    is_bgr = 'LoadImageFromFile' in str(loader.dataset)
    for index in range(count):
        draw(visualizer, dataset[index], is_bgr, str(out / f'{index:05}.png'))
    print(f'wrote {count} images to {out}')


def draw(visualizer: 'Visualizer', item: dict, is_bgr: bool, file: str) -> None:
    """Draws one item of a data set.

    Args:
        visualizer: The package's.
        item: What the data set gives: ``inputs`` (3, H, W) and ``data_samples``.
        is_bgr: Whether the order of the channels is blue, green, red.
        file: Where the picture goes.
    """
    image = item['inputs'].permute(1, 2, 0).numpy()
    sample = item['data_samples']
    if is_bgr:
        image = image[..., ::-1]
    if hasattr(visualizer, 'visualize_cls'):
        visualizer.visualize_cls(image, sample, out_file=file)
        return
    instances = sample.get('gt_instances')
    if instances is not None and hasattr(instances.bboxes, 'tensor'):
        instances.bboxes = instances.bboxes.tensor
    if instances is not None and 'masks' in instances:
        instances.masks = instances.masks.to_ndarray().astype(bool)
    visualizer.add_datasample('image', image, sample, draw_pred=False, out_file=file)


if __name__ == '__main__':
    main()
