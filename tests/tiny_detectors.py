"""The small recipes of BCCD, made tiny and put on generated shapes."""


def shapes_options(shapes_coco, iterations, interval):
    """Entries of a recipe's config that put it on the shapes.

    Args:
        shapes_coco (Path): Folder of the shapes.
        iterations (int): Length of the training; it is validated at the end.
        interval (int): Iterations between two checkpoints, all of which are kept.

    Returns:
        dict: Dotted key -> value.
    """
    annotations = str(shapes_coco / 'shapes.json')
    options = {
        'train_cfg': dict(max_iters=iterations, val_interval=iterations),
        'default_hooks.checkpoint.interval': interval,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'default_hooks.logger.interval': 1,
        'train_dataloader.batch_size': 3,
        'train_dataloader.dataset.pipeline.2.scale': (96, 96),
    }
    for split in ('train', 'val', 'test'):
        loader = f'{split}_dataloader'
        options[f'{loader}.num_workers'] = 0
        options[f'{loader}.persistent_workers'] = False
        options[f'{loader}.dataset.data_root'] = f'{shapes_coco}/'
        options[f'{loader}.dataset.ann_file'] = annotations
        options[f'{loader}.dataset.metainfo.classes'] = ('box', 'disc')
        if split != 'train':
            options[f'{split}_evaluator.ann_file'] = annotations
            options[f'{loader}.dataset.pipeline.1.scale'] = (96, 96)
    return options


def network(base_channels):
    """Entries that make a detector thin, with the two classes of the shapes."""
    return {
        'model.backbone.base_channels': base_channels,
        'model.neck.in_channels': [base_channels * n for n in (1, 2, 4, 8)],
        'model.roi_head.bbox_head.num_classes': 2,
    }
