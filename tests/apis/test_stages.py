"""Finding the stages of networks, and pairing them."""

import pytest
import torch
from torch import nn


@pytest.fixture(scope='module')
def stages():
    from famkd.apis import stages

    return stages


POOLING = dict(type='mmpretrain.GlobalAveragePooling')


def network(backbone, neck=POOLING):
    from mmpretrain.registry import MODELS

    config = dict(type='mmpretrain.ImageClassifier', backbone=backbone, neck=neck)
    return MODELS.build(config)


def found(stages, backbone, size, neck=POOLING):
    return [
        (stage.config, stage.channels, stage.size)
        for stage in stages.find_stages(network(backbone, neck), (3, size, size))
    ]


@pytest.mark.parametrize('depth', [18, 50])
def test_residual_network(depth, stages):
    # In a bottleneck, the first convolution of a stage still has the larger map.
    backbone = dict(type='mmpretrain.ResNet', depth=depth, base_channels=8)
    width = 8 if depth == 18 else 32
    assert found(stages, backbone, 64) == [
        ('backbone.relu', 64, (32, 32)),
        ('backbone.layer1', width, (16, 16)),
        ('backbone.layer2', 2 * width, (8, 8)),
        ('backbone.layer3', 4 * width, (4, 4)),
        ('backbone.layer4', 8 * width, (2, 2)),
        ('neck', 8 * width, (1, 1)),
    ]


def test_large_maps_are_left_out(stages):
    backbone = dict(type='mmpretrain.ResNet', depth=18, base_channels=8)
    sizes = [size for _, _, size in found(stages, backbone, 160)]
    assert sizes == [(40, 40), (20, 20), (10, 10), (5, 5), (1, 1)]


def test_quarter_of_a_large_image_is_a_stage(stages):
    backbone = dict(type='mmpretrain.ResNet', depth=18, base_channels=4)
    sizes = [size for _, _, size in found(stages, backbone, 320)]
    assert sizes[0] == (80, 80)


def test_backbone_inside_a_wrapper(stages):
    pytest.importorskip('timm')
    backbone = dict(type='mmpretrain.TIMMBackbone', model_name='mobilenetv3_small_050')
    names = [name for name, _, _ in found(stages, backbone, 64)]
    # One long Sequential, `blocks`, is taken apart.
    assert names[1:4] == [f'backbone.timm_model.blocks.{i}' for i in (0, 1, 3)]


def test_transformer(stages):
    arch = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=16)
    backbone = dict(
        type='mmpretrain.VisionTransformer', arch=arch, img_size=32, patch_size=8
    )
    assert found(stages, backbone, 32, neck=None) == [
        ('backbone.ln1', 16, (4, 4)),
        ('backbone', 16, (1, 1)),
    ]


class Pyramid(nn.Module):
    """A network whose neck gives several maps, as those of detectors do."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.neck = Levels()

    def extract_feat(self, images):
        return self.neck((self.backbone(images),))


class Levels(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(8, 4, 3, stride=4, padding=1)

    def forward(self, inputs):
        x = self.down(inputs[0])
        return x, nn.functional.max_pool2d(x, 2), nn.functional.max_pool2d(x, 4)


def test_several_outputs_of_one_module(stages):
    found = stages.find_stages(Pyramid(), (3, 64, 32))
    assert [(stage.config, stage.size) for stage in found] == [
        ('backbone', (32, 16)),
        (dict(source='neck', data_idx=0), (8, 4)),
        (dict(source='neck', data_idx=1), (4, 2)),
        (dict(source='neck', data_idx=2), (2, 1)),
    ]


def test_maps_of_one_size_of_a_dilated_backbone(stages):
    backbone = dict(
        type='mmpretrain.ResNet',
        depth=18,
        base_channels=8,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        out_indices=(0, 1, 2, 3),
    )
    found = stages.find_stages(network(backbone, neck=None), (3, 64, 64))
    assert [(stage.data_idx, stage.channels, stage.size) for stage in found] == [
        (0, 8, (16, 16)),
        (1, 16, (8, 8)),
        (2, 32, (8, 8)),
        (3, 64, (8, 8)),
    ]


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential()
        self.pool = nn.MaxPool2d(2)
        self.conv = nn.Conv2d(3, 4, 1)

    def extract_feat(self, images):
        return self.pool(self.conv(self.pool(images)))


def test_module_that_is_called_twice_is_no_stage(stages):
    found = stages.find_stages(Shared(), (3, 16, 16))
    assert [stage.source for stage in found] == ['conv']


def test_network_is_left_as_it_was(stages):
    classifier = network(dict(type='mmpretrain.ResNet', depth=18, base_channels=8))
    before = {key: value.clone() for key, value in classifier.state_dict().items()}
    classifier.train()
    stages.find_stages(classifier, (3, 32, 32))
    assert classifier.training
    for key, value in classifier.state_dict().items():
        assert torch.equal(value, before[key])
    assert not any(m._forward_hooks for m in classifier.modules())


def pairs(stages, students, teachers):
    def make(sizes):
        return [stages.Stage(f'x{size}', None, 4, (size, size)) for size in sizes]

    found = stages.pair_stages(make(students), make(teachers))
    return [(student.size[0], teacher.size[0]) for student, teacher in found]


def test_pairs_by_size(stages):
    sizes = [32, 16, 8, 1], [32, 16, 8, 1]
    assert pairs(stages, *sizes) == [(32, 32), (16, 16), (8, 8), (1, 1)]
    assert pairs(stages, [56, 28, 14, 7, 1], [14, 1]) == [(14, 14), (1, 1)]


def test_pairs_by_order(stages):
    assert pairs(stages, [16, 8, 4, 1], [32, 16, 8, 1]) == [
        (16, 32),
        (8, 16),
        (4, 8),
        (1, 1),
    ]
    assert pairs(stages, [12, 6, 1], [32, 16, 8, 1]) == [(12, 16), (6, 8), (1, 1)]


def test_pairs_by_the_nearest_size(stages):
    assert pairs(stages, [56, 28, 14, 7, 1], [16, 1]) == [(14, 16), (1, 1)]
    assert pairs(stages, [16], [56, 28, 14, 7]) == [(16, 14)]
