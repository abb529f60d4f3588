"""Names of weights in mdistiller's and torchvision's networks, and in ours."""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from famkd.checkpoint_keys import read_weights
from famkd.names import near_names

if TYPE_CHECKING:
    from mmengine.model import BaseModel
    from torch import Size, Tensor

# Where a family of theirs numbers convolution, BN and ReLU in one Sequential,
# convolution i is 3i and its BN 3i + 1.


def _position(i: str | int, part: str) -> int:
    return 3 * int(i) + (part == 'bn')


def _vgg_layer(match: re.Match) -> str:
    part, i = match.groups()
    return f'.{_position(int(i) - 1, part)}.'


def _mobilenet_v2_block(match: re.Match) -> str:
    stage, i, conv, part = match.groups()
    groups = [(g, b) for g, n in enumerate((1, 2, 3, 4, 3, 3, 1)) for b in range(n)]
    group, block = groups[{'1': -1, '2': 3, '3': 6, '4': 13}[stage] + int(i)]
    # The expansion of the very first block is a module of its own in ours.
    conv = int(conv) + (group == 0)
    return f'blocks.{group}.{block}.conv.{_position(conv, part)}.'


def _shufflenet_v2_conv(match: re.Match) -> str:
    stage, unit, branch, i, part = match.groups()
    # Their numbers go on from the first branch, which only a stage's first unit has.
    number = int(i) + (3 if branch == '2' and unit == '0' else 1)
    return f'layer{int(stage) + 1}.{unit}.{part}{number}.'


def _mobilenet_v1_conv(match: re.Match) -> str:
    stage, i, conv, part = match.groups()
    number = {'1': 1, '2': 4, '3': 6, '4': 12}[stage] + int(i)
    return f'model.{number}.{_position(conv == "pointwise", part)}.'


# Rules from our names to theirs, applied in order.
RESNET = [(r'^(backbone|head)\.', '')]
RESNET_CIFAR = [(r'downsample', 'shortcut'), (r'^head\.fc', 'linear'), *RESNET]
WRN = [
    (r'^backbone\.stem', 'conv1'),
    (r'^backbone\.post\.bn', 'bn1'),
    (r'^backbone\.layer(\d)', r'block\1.layer'),
    (r'shortcut', 'convShortcut'),
    (r'^head\.', ''),
]
VGG = [
    (r'^backbone\.stem', 'block0'),
    (r'^backbone\.layer', 'block'),
    (r'\.(conv|bn)(\d)\.', _vgg_layer),
    (r'^head\.fc', 'classifier'),
]
MOBILENET_V2 = [
    (r'^backbone\.stem', 'conv1'),
    (r'^backbone\.conv2', 'conv2'),
    (r'^backbone\.layer1\.0', 'blocks.0.0.conv'),
    (r'^backbone\.layer(\d)\.(\d)\.conv\.(\d)\.(conv|bn)\.', _mobilenet_v2_block),
    (r'^(conv.|blocks\.0\.0\.conv)\.conv', r'\1.0'),
    (r'^(conv.|blocks\.0\.0\.conv)\.bn', r'\1.1'),
    (r'^head\.fc', 'classifier.0'),
]
SHUFFLENET_V1 = [
    (r'^backbone\.stem', 'conv1'),
    (r'^backbone\.', ''),
    (r'conv(\d)\.(conv|bn)\.', r'\2\1.'),
    (r'^head\.fc', 'linear'),
]
SHUFFLENET_V2 = [
    (
        r'^backbone\.layers\.(\d)\.(\d)\.branch(\d)\.(\d)\.(conv|bn)\.',
        _shufflenet_v2_conv,
    ),
    (r'^backbone\.layers\.3\.(conv|bn)', r'\g<1>2'),
    (r'^backbone\.conv1\.(conv|bn)', r'\g<1>1'),
    (r'^head\.fc', 'linear'),
]
MOBILENET_V1 = [
    (r'^backbone\.stem\.conv', 'model.0.0'),
    (r'^backbone\.stem\.bn', 'model.0.1'),
    (
        r'^backbone\.layer(\d)\.(\d)\.(\w+)_conv\.(conv|bn)\.',
        _mobilenet_v1_conv,
    ),
    (r'^head\.', ''),
]

ARCHS = {
    **dict.fromkeys(
        ['resnet20', 'resnet32', 'resnet56', 'resnet110', 'resnet8x4', 'resnet32x4'],
        RESNET,
    ),
    **dict.fromkeys(['wrn_16_2', 'wrn_40_1', 'wrn_40_2'], WRN),
    **dict.fromkeys(['vgg8', 'vgg13'], VGG),
    'MobileNetV2': MOBILENET_V2,
    'ShuffleV1': SHUFFLENET_V1,
    'ShuffleV2': SHUFFLENET_V2,
    **dict.fromkeys(['ResNet18', 'ResNet50'], RESNET_CIFAR),
    'imagenet/MobileNetV1': MOBILENET_V1,
    **dict.fromkeys(
        [f'torchvision/resnet{depth}' for depth in (18, 34, 50, 101, 152)], RESNET
    ),
}


def check_arch(arch: str) -> None:
    """Raises a ValueError that lists the near names unless ``arch`` is known."""
    if arch not in ARCHS:
        near = near_names(arch, ARCHS, cutoff=0.5) or list(ARCHS)
        raise ValueError(f'--arch {arch} is not known; use {" or ".join(near)}')


def build_arch(arch: str) -> 'BaseModel':
    """Our classifier of a name in ``ARCHS``, with random weights."""
    from famkd.models.algorithms.networks import build_network

    family, _, name = arch.rpartition('/')
    ours = name.lower().replace('_', '-')
    config = {
        '': f'famkd::vanilla/cifar100/{ours}_1xb64_cifar100.py',
        'imagenet': f'famkd::vanilla/imagenet/{ours}_8xb32_in1k.py',
        'torchvision': f'mmpretrain::resnet/{name}_8xb32_in1k.py',
    }[family]
    return build_network(dict(cfg_path=config))


@cache
def our_shapes(arch: str) -> dict[str, 'Size']:
    """Our state-dict keys -> the shapes of the tensors."""
    return {key: x.shape for key, x in build_arch(arch).state_dict().items()}


def their_key(key: str, arch: str) -> str:
    """Our state-dict key -> the key of the same tensor in mdistiller's network."""
    for pattern, replacement in ARCHS[arch]:
        key = re.sub(pattern, replacement, key)
    return key


def find_weights(checkpoint: Any) -> dict[str, 'Tensor']:
    """Finds the state dict in a checkpoint, without the prefix of DataParallel.

    Args:
        checkpoint: A state dict, or a dict with one under ``model`` or
            ``state_dict``.

    Returns:
        dict[str, Tensor]: The state dict.

    Raises:
        ValueError: If there is none.
    """
    import torch

    if isinstance(checkpoint, dict):
        for name in ('model', 'state_dict'):
            if isinstance(checkpoint.get(name), dict):
                checkpoint = checkpoint[name]
        if checkpoint and all(map(torch.is_tensor, checkpoint.values())):
            return read_weights(checkpoint)
    raise ValueError(
        'the file holds no weights: a state dict is needed, or a dict with one under '
        "'model' or 'state_dict'"
    )


def convert(
    weights: dict[str, 'Tensor'], arch: str, reverse: bool = False
) -> dict[str, 'Tensor']:
    """Renames the weights of a network.

    Args:
        weights: Their state dict, or, with ``reverse``, ours.
        arch: The network, a name in ``ARCHS``.
        reverse: Whether to go from ours to theirs. Defaults to False.

    Returns:
        dict[str, Tensor]: The same tensors under the other names.

    Raises:
        ValueError: If the network is not known, or keys or shapes are not exactly its
            own.
    """
    check_arch(arch)
    shapes = our_shapes(arch)
    names = {(key if reverse else their_key(key, arch)): key for key in shapes}

    missing = [name for name in names if name not in weights]
    unexpected = [name for name in weights if name not in names]
    differ = [
        f'{name} is {tuple(weights[name].shape)}, not {tuple(shapes[key])}'
        for name, key in names.items()
        if name in weights and weights[name].shape != shapes[key]
    ]
    problems = [
        f'{what}: {", ".join(found[:3])}'
        + (f' and {len(found) - 3} more' if len(found) > 3 else '')
        for what, found in [
            ('missing', missing),
            ('not part of it', unexpected),
            ('other shapes', differ),
        ]
        if found
    ]
    if problems:
        raise ValueError(f'the weights are not those of {arch}; {"; ".join(problems)}')
    return {
        their_key(key, arch) if reverse else key: weights[name]
        for name, key in names.items()
    }
