import pytest
import torch
from golden_network import golden_error
from mmpretrain.registry import MODELS


@pytest.mark.parametrize('name', ['ResNet18', 'ResNet50'])
def test_matches_golden(name):
    assert golden_error(name) < 1e-4


@pytest.mark.parametrize('kind', ['ResNet', 'ResNet_CIFAR'])
@pytest.mark.parametrize('depth', [18, 50])
def test_same_network_as_mmpretrains(kind, depth):
    args = dict(
        depth=depth,
        stem_channels=8,
        base_channels=8,
        out_indices=(0, 1, 2, 3),
        zero_init_residual=False,
    )
    plain = MODELS.build(dict(type=kind, **args))
    staged = MODELS.build(dict(type=f'StageReLU{kind}', **args))
    plain.init_weights()
    staged.load_state_dict(plain.state_dict())

    preacts = []
    for k in range(1, 5):
        staged.get_submodule(f'layer{k}.relu').register_forward_pre_hook(
            lambda _, x: preacts.append(x[0])
        )
    x = torch.randn(2, 3, 64, 64)
    outputs = staged(x)
    for output, preact, expected in zip(outputs, preacts, plain(x), strict=True):
        torch.testing.assert_close(output, expected)
        assert preact.min() < 0
        torch.testing.assert_close(preact.relu(), output)
