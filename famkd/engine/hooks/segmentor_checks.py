"""What would stop the training of a segmentor later, or its first validation."""

from mmengine.model import BaseDataPreprocessor
from torch import nn

MODES = 'whole', 'slide', 'slide_flip'  # of mmseg's test_cfg


def check_segmentor(
    network: nn.Module,
    images: BaseDataPreprocessor,
    classes: int | None,
    is_validated: bool,
) -> None:
    """Checks heads, padding and windows of a segmentor; other networks are let alone.

    Args:
        network: The network.
        images: Preprocessor of its images.
        classes: How many classes its data have; None if that is unknown.
        is_validated: Whether it is validated.

    Raises:
        ValueError: If a head has fewer classes than the data, or ignores another value
            than the others; images are padded to no size, or to two, or their masks
            with a class; or a validation in windows would leave gaps.
    """
    if not hasattr(network, 'decode_head'):
        return
    heads = _mask_heads(network)
    for name, head in heads.items():
        count = head.num_classes
        # Two are told apart with one score, too.
        if classes is not None and max(count, 2) < classes:
            raise ValueError(
                f'{name}.num_classes={count}, but the training data have {classes} '
                'classes (dataset.metainfo.classes); correct one of them'
            )
    ignored = {
        f'{name}.ignore_index': head.ignore_index for name, head in heads.items()
    }
    # None is for losses that mask themselves.
    if len({value for value in ignored.values() if value is not None}) > 1:
        given = ', '.join(f'{key}={value}' for key, value in ignored.items())
        raise ValueError(f'{given}: they learn the same masks; give all the same')
    if hasattr(images, 'size_divisor'):  # mmseg's
        size, divisor, value = images.size, images.size_divisor, images.seg_pad_val
        if (size is None) == (divisor is None):
            raise ValueError(
                f'data_preprocessor.size={size} and size_divisor={divisor}: give one '
                'of them, what the images of a training are padded to'
            )
        learned = any(value < head.num_classes for head in heads.values())
        if learned and value not in ignored.values():
            raise ValueError(
                f'data_preprocessor.seg_pad_val={value} is the number of a class: '
                'padding would be learned as one; give the ignore_index of the heads'
            )
    if is_validated:
        _check_windows(getattr(network, 'test_cfg', {}))


def _mask_heads(network: nn.Module) -> dict[str, nn.Module]:
    """The heads, by their names, whose loss is that of the masks as they are.

    Others learn edges, or points, or are of several parts.
    """
    heads = {}
    for name in ('decode_head', 'auxiliary_head'):
        head = getattr(network, name, None)
        several = isinstance(head, nn.ModuleList)  # a cascade, or auxiliary heads
        for i, one in enumerate(head if several else [head]):
            loss = getattr(one, 'loss_by_feat', None)
            if getattr(loss, '__qualname__', '') == 'BaseDecodeHead.loss_by_feat':
                heads[f'{name}.{i}' if several else name] = one
    return heads


def _check_windows(test_cfg: dict | None) -> None:
    if test_cfg is None or test_cfg.get('mode', 'whole') not in MODES:
        raise ValueError(
            f"test_cfg={test_cfg} of the student must be dict(mode='whole') or "
            "dict(mode='slide', crop_size=(H, W), stride=(H, W))"
        )
    if test_cfg.get('mode', 'whole') == 'whole':
        return
    crop, stride = test_cfg.get('crop_size'), test_cfg.get('stride')
    are_pairs = all(isinstance(x, (list, tuple)) for x in (crop, stride))
    if not are_pairs or any(s > c for s, c in zip(stride, crop, strict=True)):
        raise ValueError(
            f'test_cfg of the student: crop_size={crop} and stride={stride} of its '
            'windows; give both as (H, W), and no stride that is larger than the crop: '
            'pixels between the windows would never be seen'
        )
