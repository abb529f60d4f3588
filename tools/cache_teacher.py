"""Write the teacher's features of all training images to disk, once.

    python tools/cache_teacher.py CONFIG [--out DIR] [--cfg-options KEY=VALUE ...]

A training with model.feature_cache=DIR then reads them, and a step costs the student
alone. It is for pipelines that change no image at random: there is one feature for an
image. What it will take is printed first; a disk that has less ends it before it
starts. docs/foundation_teachers.md says when it pays.
"""

import argparse
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.cli import (
    add_cfg_options_argument,
    check_config,
    find_config,
    merge_cfg_options,
    resolve_model_paths,
    set_thread_count,
)
from famkd.apis.config_checks.data import check_data
from famkd.apis.feature_cache import (
    changes_by_itself,
    feature_batches,
    free_gigabytes,
    gigabytes,
    random_transforms,
)
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints

if TYPE_CHECKING:
    from mmengine.config import Config


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description="Write a teacher's features of the training images to disk",
        usage='%(prog)s CONFIG [options]',
    )
    parser.add_argument('config', metavar='CONFIG', help='config of a distillation')
    parser.add_argument(
        '--out',
        metavar='DIR',
        help='folder of the features; default: model.feature_cache of the config, or '
        'work_dirs/features/NAME_OF_CONFIG',
    )
    add_cfg_options_argument(parser)
    add_trust_argument(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Write the features; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    set_thread_count()
    trust_checkpoints(args.trust_checkpoint)
    from mmengine.config import Config

    cfg = Config.fromfile(find_config(parser, args.config))
    merge_cfg_options(parser, cfg, args.cfg_options)
    if 'teacher' not in cfg.get('model', {}):
        parser.error(f'{args.config}: the model has no teacher')
    check_config(parser, cfg, ['train'])
    resolve_model_paths(parser, cfg)
    check_data(parser, cfg, ['train'])
    known = cfg.model.pop('feature_cache', None)
    out = args.out or known or f'work_dirs/features/{Path(args.config).stem}'
    try:
        write(parser, cfg, out)
    except (FloatingPointError, OSError, ValueError) as error:
        parser.error(str(error))


def write(parser: argparse.ArgumentParser, cfg: 'Config', out: str) -> None:
    """Write the features of a config's training images, unless they are there.

    Args:
        parser: Reports the errors.
        cfg: The complete config, without a ``feature_cache``.
        out: Folder of the features.
    """
    import torch
    from mmengine.registry import init_default_scope
    from mmengine.runner import Runner

    import famkd.models  # noqa: F401 (registers the algorithm)
    from famkd.models.algorithms.cache_note import NOTE
    from famkd.models.algorithms.feature_cache import write_features
    from famkd.models.algorithms.networks import build_network

    init_default_scope(cfg.get('default_scope', 'mmengine'))
    names = random_transforms(cfg)
    loader_cfg = cfg.train_dataloader
    loader_cfg.update(
        sampler=dict(type='DefaultSampler', shuffle=False),
        drop_last=False,
        batch_sampler=None,
    )
    if cfg.get('default_scope') == 'mmpretrain':
        loader_cfg.setdefault('collate_fn', dict(type='default_collate'))
    loader = Runner.build_dataloader(loader_cfg, seed=0)
    cfg.model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    model = build_network(cfg.model).train()
    if getattr(model.data_preprocessor, 'batch_augments', None):  # mixup and the like
        names.append('batch_augments')
    if names or changes_by_itself(loader.dataset):
        parser.error(
            'train_dataloader: the pipeline changes images at random '
            f'({", ".join(names) or "an image differs when it is loaded again"}), and '
            'there is one feature for an image; take a pipeline without, or train '
            'without a cache'
        )

    model.to('cuda' if torch.cuda.is_available() else 'cpu')
    if Path(out, NOTE).is_file():
        model.open_cache(out)
        print(f'{out} has the features already; remove it to write them again')
        return
    if Path(out).is_file() or (Path(out).is_dir() and any(Path(out).iterdir())):
        parser.error(f'--out: {out} has other files; name a new folder')

    key = model.features_key()
    batches = feature_batches(model, loader)
    first = next(batches)
    count = len(loader.dataset)
    needed, free = gigabytes(first[2], count), free_gigabytes(out)
    shapes = ', '.join(str(tuple(x.shape[1:])) for x in first[2].values())
    print(
        f'Features {shapes} in bfloat16: {gigabytes(first[2], 1000):.3f} GB per 1,000 '
        f'images, {needed:.3f} GB for {count}; {free:.1f} GB are free at {out}'
    )
    if needed > free:
        parser.error(
            f'--out: {out} needs {needed:.3f} GB, but its disk has {free:.3f} GB left; '
            'name a folder on another one, fewer stages, or a smaller input_size'
        )
    write_features(out, key, count, itertools.chain([first], batches))
    print(f'Done. Train with --cfg-options model.feature_cache={out}')


if __name__ == '__main__':
    main()
