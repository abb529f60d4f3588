"""The networks of a recipe: their images, and the checkpoint of the teacher."""

from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.optional import import_problem
from famkd.apis.paths import CONFIGS
from famkd.apis.testing import inner_dataset
from famkd.names import near_names, type_name

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.model import BaseModel


def load_network(role: str, path: str) -> tuple['Config', 'BaseModel']:
    """Builds a network from its config.

    Args:
        role: 'teacher' or 'student'.
        path: The config: a file, or PACKAGE::FILE.
    """
    from famkd.models.algorithms.networks import build_network, read_config

    try:
        cfg = read_config(path)
    except ImportError as error:
        raise ValueError(f'--{role}: {path!r}: {import_problem(error)}') from None
    except (FileNotFoundError, ValueError) as error:
        known = {p.stem: p for p in (CONFIGS / 'vanilla').rglob('*.py')}
        near = near_names(Path(path).stem, known, cutoff=0.3)
        near = [f'famkd::{known[name].relative_to(CONFIGS)}' for name in near]
        hint = f'; near names: {", ".join(near)}' if near else ''
        raise ValueError(
            f'--{role}: there is no config {path!r} ({error}){hint}'
        ) from None
    if 'backbone' not in cfg.get('model', {}):
        raise ValueError(
            f'--{role}: {path!r} is not the config of a network (no backbone)'
        )
    try:
        return cfg, build_network(dict(cfg_path=path))
    except ImportError as error:  # of mmcv's operators
        raise ValueError(f'--{role}: {path!r}: {import_problem(error)}') from None


def image_size(cfg: 'Config') -> tuple[int, int]:
    """Height and width of the images that a config trains with.

    The size of its data preprocessor (segmentors), what its training pipeline makes of
    an empty image, or, where that fails, its crop.

    Args:
        cfg: Config with a ``train_dataloader``.
    """
    import numpy as np
    from mmcv.transforms import Compose
    from mmengine.registry import DefaultScope

    preprocessor = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor')
    if (preprocessor or {}).get('size'):
        return tuple(preprocessor.size)
    crops = []
    image = np.zeros((512, 512, 3), dtype=np.uint8)
    item = dict(img=image, img_shape=(512, 512), ori_shape=(512, 512), gt_label=0)
    try:
        dataset = inner_dataset(cfg.train_dataloader.dataset)
        crops = [s.crop_size for s in dataset.pipeline if s.get('crop_size')]
        steps = [s for s in dataset.pipeline if not type_name(s).startswith('Load')]
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
            return tuple(Compose(steps)(item)['inputs'].shape[-2:])
    except Exception as error:  # of whatever step
        if crops:
            size = crops[-1]
            return (size, size) if isinstance(size, int) else tuple(size)
        raise ValueError(
            '--input-size: give it, since the training pipeline does not tell '
            f'({type(error).__name__}: {error})'
        ) from None


def teacher_checkpoint(path: str, cfg: 'Config') -> str:
    """The published checkpoint of a config, or where training it leaves one.

    Args:
        path: The teacher's config.
        cfg: The same, read.

    Returns:
        str: Path or URL.
    """
    from mmengine.hub import get_config

    if '::' in path:
        try:
            return get_config(path, pretrained=True).model_path
        except (AssertionError, AttributeError, FileNotFoundError):
            pass  # its package publishes none
    train = cfg.get('train_cfg') or {}
    for unit, key in (('iter', 'max_iters'), ('epoch', 'max_epochs')):
        if key in train and any(
            'head' in part and cfg.model[part] for part in cfg.model
        ):
            return f'work_dirs/{Path(path).stem}/{unit}_{train[key]}.pth'
    raise ValueError(
        f'--teacher-ckpt: give it, since {path!r} publishes none and trains none (it '
        'has no head, or no train_cfg.max_epochs or max_iters)'
    )
