import pytest
import torch
from mmpretrain.registry import MODELS

import famkd.models.backbones  # noqa: F401


def test_returns_the_asked_stages():
    backbone = MODELS.build(dict(type='CIFARVGG', depth=8, out_indices=(0, 3)))
    shapes = [feature.shape for feature in backbone(torch.zeros(1, 3, 32, 32))]
    assert shapes == [(1, 128, 16, 16), (1, 512, 4, 4)]


def test_index_out_of_range():
    with pytest.raises(
        ValueError, match=r'CIFARVGG: out_indices=\(4,\) must lie between 0 and 3'
    ):
        MODELS.build(dict(type='CIFARVGG', depth=8, out_indices=(4,)))


@pytest.mark.parametrize(
    'config',
    [
        dict(type='CIFARVGG', depth=8),
        dict(type='CIFARWideResNet', depth=10, widen_factor=1),
        dict(type='CIFARMobileNetV2'),
        dict(type='CIFARShuffleNetV1'),
        dict(type='MobileNetV1'),
    ],
    ids=lambda config: config['type'],
)
def test_starts_from_a_checkpoint(config, tmp_path):
    first = MODELS.build(config)
    torch.save(first.state_dict(), tmp_path / 'a.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth'))
    second = MODELS.build({**config, 'init_cfg': init_cfg})
    second.init_weights()
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
