"""What testing can do besides: draw the predictions, and average over augmentations."""

import argparse
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config, ConfigDict

# Where a package has its pictures drawn, and by what; the folder is filled in.
HOOKS = {
    'mmdet': dict(type='DetVisualizationHook', draw=True, interval=1),
    'mmpretrain': dict(type='VisualizationHook', enable=True, interval=1),
    'mmseg': dict(type='SegVisualizationHook', draw=True, interval=1),
}
FOLDERS = {'mmdet': 'test_out_dir', 'mmpretrain': 'out_dir'}
# Models that average over augmentations, where the config names none.
TTA_MODELS = {
    'mmdet': dict(
        type='DetTTAModel',  # in mmengine's registry, not in mmdet's
        tta_cfg=dict(nms=dict(type='nms', iou_threshold=0.5), max_per_img=100),
    ),
    'mmpretrain': dict(type='mmpretrain.AverageClsScoreTTA'),
    'mmseg': dict(type='mmseg.SegTTAModel'),
}


def draw_predictions(
    parser: argparse.ArgumentParser, cfg: 'Config', folder: str
) -> None:
    """Has the prediction of every test image drawn.

    Args:
        parser: Reports the error, a package that draws none.
        cfg: The config, changed in place.
        folder: Where the pictures go; of segmentors, to ``vis_data/vis_image`` in it.
    """
    package = cfg.get('default_scope')
    if package not in HOOKS:
        parser.error(
            f'--show-dir: default_scope={package!r}: it is known how '
            f'{", ".join(HOOKS)} draw; add a hook that does to default_hooks'
        )
    hook = dict(HOOKS[package])
    if package in FOLDERS:
        hook[FOLDERS[package]] = str(Path(folder).resolve())
    else:
        cfg.visualizer.save_dir = folder
    cfg.setdefault('default_hooks', {})
    cfg.default_hooks.visualization = hook


def inner_dataset(dataset: 'ConfigDict') -> 'ConfigDict':
    """The config of the data set with a pipeline that wrappers may be around."""
    while 'pipeline' not in dataset and 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def inner_test_dataset(cfg: 'Config') -> 'ConfigDict':
    """The config of the test data set, with its pipeline, see :func:`inner_dataset`.

    Raises:
        ValueError: If there is none.
    """
    dataset = inner_dataset((cfg.get('test_dataloader') or {}).get('dataset', {}))
    if not dataset.get('pipeline'):
        raise ValueError(
            'the config has no test_dataloader.dataset.pipeline, by which images come '
            'to the network; give a config that has it'
        )
    return dataset


def augment_test(parser: argparse.ArgumentParser, cfg: 'Config') -> None:
    """Has the model average over augmented images.

    Args:
        parser: Reports the error: a test data set without a pipeline of its own, no
            ``tta_model`` where the package has none, or averages of classifiers that
            are to be drawn: mmpretrain's hook takes one view of an image only.
        cfg: The config with the model of the student, changed in place. Its
            ``tta_model`` and ``tta_pipeline`` are taken; where it has none, each image
            and its mirror image.
    """
    package = cfg.get('default_scope')
    if not cfg.get('tta_model') and package not in TTA_MODELS:
        parser.error(
            f'--tta: default_scope={package!r} has no model that averages; set '
            'tta_model in the config'
        )
    hook = cfg.get('default_hooks', {}).get('visualization') or {}
    if package == 'mmpretrain' and hook.get('enable'):
        parser.error('--tta: mmpretrain does not draw averages; leave out --show-dir')
    dataset = inner_dataset(cfg.test_dataloader.dataset)
    if not dataset.get('pipeline'):
        parser.error('--tta: test_dataloader.dataset has no pipeline to augment')
    *steps, last = deepcopy(dataset.pipeline)
    if package == 'mmdet':
        keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')
        last.meta_keys = (*keys, 'flip', 'flip_direction')
    # The truth is that of the first view, which is the image as it is.
    flips = [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)]
    both = dict(type='TestTimeAug', transforms=[flips, [last]])
    dataset.pipeline = cfg.get('tta_pipeline', [*steps, both])
    average = cfg.get('tta_model') or TTA_MODELS[package]
    cfg.model = dict(average, module=cfg.model)
