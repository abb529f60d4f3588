"""The starts of what is trained, against those of the released code.

Outputs do not depend on them in any other test: trained tensors are given there. A
start that is off shows in training only, by a few tenths of a percent.
"""

from dataclasses import dataclass
from math import prod, sqrt

import pytest
import torch
from mmengine.model import BaseModule
from mmrazor.registry import MODELS
from torch import nn

from famkd.layers import DynamicFrequencyAttention, FrequencyAttention, LocalAttention


@dataclass
class Start:
    """Mean and standard deviation, and the range (not of a normal distribution)."""

    mean: float
    std: float
    low: float = -float('inf')
    high: float = float('inf')

    def check(self, x: torch.Tensor) -> None:
        """Asserts that the numbers of a tensor are likely to be drawn from it."""
        x = x.detach().double()
        assert self.low - 1e-7 <= x.min() and x.max() <= self.high + 1e-7
        # Five standard errors: of a mean, and of the standard deviation (at most that
        # of a normal distribution).
        error = 5 * self.std / sqrt(x.numel())
        assert x.mean().item() == pytest.approx(self.mean, abs=error + 1e-6)
        if x.numel() > 1:
            assert x.std().item() == pytest.approx(self.std, abs=error / sqrt(2) + 1e-6)


def constant(value: float) -> Start:
    return Start(value, 0.0, value, value)


def uniform(low: float, high: float) -> Start:
    return Start((low + high) / 2, (high - low) / sqrt(12), low, high)


def kaiming_uniform(fan_in: int) -> Start:
    """With a = 1, as in ReviewKD and FAM-KD."""
    return uniform(-sqrt(3 / fan_in), sqrt(3 / fan_in))


def default(fan_in: int) -> Start:
    """PyTorch's, of a convolution's weight and bias."""
    return uniform(-1 / sqrt(fan_in), 1 / sqrt(fan_in))


def normal(std: float) -> Start:
    return Start(0.0, std)


def bn(name: str) -> dict[str, Start]:
    return {f'{name}.weight': constant(1), f'{name}.bias': constant(0)}


def conv_bn(name: str, fan_in: int) -> dict[str, Start]:
    return {f'{name}.conv.weight': kaiming_uniform(fan_in), **bn(f'{name}.bn')}


def attention(channels: int, prefix: str = '') -> dict[str, Start]:
    fan_out = normal(sqrt(2 / channels))
    convs = {f'{prefix}{x}.weight': fan_out for x in ('query', 'key', 'value')}
    return {**convs, f'{prefix}rel_h': normal(1), f'{prefix}rel_w': normal(1)}


def fam(in_channels: int, prefix: str = '', local: str = 'local') -> dict[str, Start]:
    """All but the filter, which is stored in other coordinates than the released."""
    return {
        f'{prefix}gamma1': constant(0.5),
        f'{prefix}gamma2': constant(0.5),
        f'{prefix}{local}.weight': default(in_channels),
        f'{prefix}{local}.bias': default(in_channels),
    }


def head(**options) -> nn.Module:
    return MODELS.build(dict(in_channels=32, out_channels=48, **options))


def fusion(**options) -> nn.Module:
    return MODELS.build(dict(in_channels=64, **options))


CASES = {
    'CrossAttentionFusion': (
        lambda: fusion(
            type='CrossAttentionFusion', review_channels=96, mid_channels=32
        ),
        conv_bn('lateral', 64) | conv_bn('residual', 96) | attention(32, 'attention.'),
    ),
    'ABFusion': (
        lambda: fusion(type='ABFusion', review_channels=32, mid_channels=32),
        conv_bn('lateral', 64)
        | {'attention.weight': default(64), 'attention.bias': default(64)},
    ),
    'LocalAttentionFusion': (
        lambda: fusion(type='LocalAttentionFusion'),
        attention(64, 'attention.'),
    ),
    'NoFusion': (lambda: fusion(type='NoFusion'), {}),
    'FAMHead': (
        lambda: head(type='FAMHead', size=(6, 7)),
        fam(32, 'fam.') | bn('bn'),
    ),
    'DynamicFAMHead': (
        lambda: head(type='DynamicFAMHead', base_size=(6, 7)),
        fam(32, 'fam.', 'pointwise') | bn('bn'),
    ),
    'ConvHead': (lambda: head(type='ConvHead'), conv_bn('conv', 9 * 32)),
    'FrequencyAttention': (lambda: FrequencyAttention(32, 48, 8), fam(32)),
    'DynamicFrequencyAttention': (
        lambda: DynamicFrequencyAttention(32, 48, (9, 8)),
        fam(32, local='pointwise'),
    ),
    'LocalAttention': (lambda: LocalAttention(64), attention(64)),
    'StageMSELoss': (lambda: MODELS.build(dict(type='StageMSELoss')), {}),
    'HCLLoss': (lambda: MODELS.build(dict(type='HCLLoss')), {}),
}


def check_filter(layer: FrequencyAttention | DynamicFrequencyAttention) -> None:
    """The Hermitian part of K, which is uniform in [0, 1) + i [0, 1), and scaled."""
    spectrum = layer.full_spectrum()
    spectrum = spectrum * prod(spectrum.shape[:-2])  # C_in C_out, or C_out
    height, width = spectrum.shape[-2:]
    rows, columns = slice(1, (height + 1) // 2), slice(1, (width + 1) // 2)
    # Elsewhere it is the mean of two bins.
    inner = spectrum[..., rows, columns]
    Start(0.5, sqrt(1 / 24), 0, 1).check(inner.real)
    Start(0.0, sqrt(1 / 24), -0.5, 0.5).check(inner.imag)
    uniform(0, 1).check(spectrum[..., 0, 0].real)
    constant(0).check(spectrum[..., 0, 0].imag)


@pytest.mark.parametrize('initialised', [False, True])
@pytest.mark.parametrize('name', CASES)
def test_starts_are_the_released_ones(name, initialised):
    build, starts = CASES[name]
    torch.manual_seed(0)
    module = build()
    if initialised:  # as MMEngine's runner does, before a training
        model = BaseModule()
        model.part = module
        model.init_weights()
    parameters = dict(module.named_parameters())
    for key in [key for key in parameters if key.endswith('filter')]:
        del parameters[key]
        check_filter(module.get_submodule(key.removesuffix('filter').rstrip('.')))
    assert parameters.keys() == starts.keys()
    for key, start in starts.items():
        try:
            start.check(parameters[key])
        except AssertionError as error:
            raise AssertionError(f'{key}: {error}') from error


def test_the_runner_leaves_the_starts_of_a_distillation(distillation, build):
    model = build(distillation())
    before = {k: x.clone() for k, x in model.distiller.state_dict().items()}
    model.init_weights()
    for key, value in model.distiller.state_dict().items():
        assert torch.equal(value, before[key]), key
