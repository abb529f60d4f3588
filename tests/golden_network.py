"""The golden networks: what they are here, and how far they are from the released."""

import json
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

import famkd.models.backbones  # noqa: F401
from famkd.apis.mdistiller import convert

ROOT = Path(__file__).parents[1]


def _stages(*names):
    return [f'backbone.{name}' for name in names]


THREE = _stages('layer1', 'layer2', 'layer3')
FOUR = [*THREE, 'backbone.layer4']
SHUFFLE_V2 = _stages('layers.0', 'layers.1', 'layers.2')


def _relus(stages):
    return [f'{stage}.relu' for stage in stages]


# The released name: config below configs/vanilla, modules whose outputs are the stage
# features (the released ones begin with the stem's), modules whose inputs are the
# features before the last ReLU.
NETWORKS = {
    **{
        name: (f'cifar100/{name.lower()}_1xb64_cifar100.py', stages, _relus(stages))
        for names, stages in (
            (('resnet20', 'resnet32', 'resnet56', 'resnet110'), THREE),
            (('resnet8x4', 'resnet32x4', 'ShuffleV1'), THREE),
            (('ShuffleV2',), SHUFFLE_V2),
            (('ResNet18', 'ResNet50', 'vgg8', 'vgg13'), FOUR),
        )
        for name in names
    },
    **{
        name: (
            f'cifar100/{name.replace("_", "-")}_1xb64_cifar100.py',
            THREE,
            _stages('layer2.0.relu1', 'layer3.0.relu1', 'post.relu'),
        )
        for name in ('wrn_16_2', 'wrn_40_1', 'wrn_40_2')
    },
    'MobileNetV2': ('cifar100/mobilenetv2_1xb64_cifar100.py', FOUR, []),
    'imagenet/MobileNetV1': (
        'imagenet/mobilenetv1_8xb32_in1k.py',
        FOUR,
        _relus(FOUR),
    ),
}


@cache
def golden_networks():
    """The released numbers of each network: keys, logits, features."""
    return json.loads((ROOT / 'tests/data/cifar_checkpoints.json').read_text())


def golden_state_dict(shapes):
    """The golden weights, from their shapes by key of the released code."""
    state_dict = {}
    for key, shape in shapes.items():
        rng = np.random.default_rng(zlib.crc32(key.encode()))
        if key.endswith('num_batches_tracked'):
            value = np.zeros(shape, dtype=np.int64)
        elif key.endswith('running_var'):
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            value = rng.normal(0, 1, shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif key.endswith('weight'):
            value = rng.uniform(0.5, 1.0, shape)
        else:
            value = rng.normal(0, 0.1, shape)
        if value.dtype == np.float64:
            value = value.astype(np.float32)
        state_dict[key] = torch.from_numpy(np.asarray(value))
    return state_dict


def record(model, inputs, outputs_of=(), inputs_of=()):
    """The logits, and the outputs and first inputs of named modules."""
    recorded = {}
    handles = [
        model.get_submodule(name).register_forward_hook(
            lambda _, x, y, name=name: recorded.update({(name, 'out'): y})
        )
        for name in outputs_of
    ]
    handles += [
        model.get_submodule(name).register_forward_hook(
            lambda _, x, y, name=name: recorded.update({(name, 'in'): x[0]})
        )
        for name in inputs_of
    ]
    with torch.no_grad():
        logits = model(inputs)
    for handle in handles:
        handle.remove()
    return (
        logits,
        [recorded[name, 'out'] for name in outputs_of],
        [recorded[name, 'in'] for name in inputs_of],
    )


def golden_error(name, golden=None):
    """Compares parameter count, logits, stage features and the pooled feature.

    Args:
        name (str): Of the network, one of :data:`NETWORKS`.
        golden (dict): Its numbers. Defaults to those of :func:`golden_networks`.

    Returns:
        float: The largest error, relative to the largest logit, or to the golden mean
        of |feature|.

    Raises:
        ValueError: If the parameter count or the shape of a feature is another.
        RuntimeError: If the golden weights do not fit.
    """
    golden = golden or golden_networks()[name]
    config, stages, relus = NETWORKS[name]
    model = MODELS.build(Config.fromfile(ROOT / 'configs/vanilla' / config).model)
    model.load_state_dict(convert(golden_state_dict(golden['keys']), name))
    model.eval()
    count = sum(p.numel() for p in model.parameters())
    if count != golden['params']:
        raise ValueError(f'{name} has {count} parameters, not {golden["params"]}')

    shape = (1, 3, 224, 224) if name.startswith('imagenet/') else (2, 3, 32, 32)
    inputs = torch.from_numpy(np.random.default_rng(0).normal(size=shape)).float()
    logits, outputs, preacts = record(model, inputs, [*stages, 'neck'], relus)
    expected = torch.tensor(golden['logits'])
    error = (logits[:, : expected.shape[1]] - expected).abs().max()
    errors = [error / expected.abs().max()]

    *outputs, (pooled,) = outputs
    golden = golden['feats']
    all_expected = [*golden['feats'][-len(stages) :], golden['pooled_feat']]
    if relus:
        all_expected += golden['preact_feats'][-len(relus) :]
    for feature, (shape, mean) in zip(
        [*outputs, pooled, *preacts], all_expected, strict=True
    ):
        if list(feature.shape) != shape:
            raise ValueError(f'{name}: {list(feature.shape)} is not {shape}')
        errors.append((feature.abs().mean() - mean).abs() / mean)
    return torch.stack(errors).nan_to_num(torch.inf).max().item()
