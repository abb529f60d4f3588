"""What the golden file of networks asks, for the tests of the backbones."""

import json
import sys
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

import famkd.models.backbones  # noqa: F401

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / 'tools/model_converters'))
from mdistiller_to_famkd import convert  # noqa: E402


@cache
def golden_networks():
    """What is known of each network, by name (METHODS.md, section 9)."""
    return json.loads((ROOT / 'tests/data/cifar_checkpoints.json').read_text())


def golden_state_dict(name):
    """The golden weights, under the released code's keys."""
    state_dict = {}
    for key, shape in golden_networks()[name]['keys'].items():
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


def assert_matches_golden(config, name, features, preact_features=()):
    """Compares parameter count, logits, stage features and pooled feature.

    Args:
        config (str): Of the classifier, below ``configs/vanilla``.
        name (str): Of the golden network.
        features (list[str]): Modules whose outputs are the golden stage features
            (without the stem's, which is the first).
        preact_features (list[str]): Modules whose inputs are the features before the
            last ReLU.
    """
    model = MODELS.build(Config.fromfile(ROOT / 'configs/vanilla' / config).model)
    model.load_state_dict(convert(golden_state_dict(name), name))
    model.eval()
    golden = golden_networks()[name]
    assert sum(p.numel() for p in model.parameters()) == golden['params']

    shape = (1, 3, 224, 224) if name.startswith('imagenet/') else (2, 3, 32, 32)
    inputs = torch.from_numpy(np.random.default_rng(0).normal(size=shape)).float()
    logits, outputs, preacts = record(
        model, inputs, [*features, 'neck'], preact_features
    )
    expected = torch.tensor(golden['logits'])
    torch.testing.assert_close(
        logits[:, :8], expected, rtol=0, atol=1e-4 * expected.abs().max().item()
    )

    *outputs, (pooled,) = outputs
    golden = golden['feats']
    all_expected = [*golden['feats'][-len(features) :], golden['pooled_feat']]
    if preact_features:
        all_expected += golden['preact_feats'][-len(preact_features) :]
    for feature, (shape, mean_abs) in zip(
        [*outputs, pooled, *preacts], all_expected, strict=True
    ):
        assert list(feature.shape) == shape
        assert feature.abs().mean().item() == pytest.approx(mean_abs, rel=1e-4)
