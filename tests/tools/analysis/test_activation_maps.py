import cv2
import numpy as np
import pytest
import torch
from matplotlib import pyplot
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS
from tool_fixtures import load_tool

from famkd.apis.classifier import Classifier
from famkd.layers import activation_map, activation_ssim

TOOL = load_tool('analysis_tools/activation_maps')
STAGES = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3']


@pytest.fixture
def image(tmp_path):
    file = tmp_path / 'image.png'
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    cv2.imwrite(str(file), pixels)
    return str(file)


@pytest.fixture
def networks(checkpoints):
    names = 'teacher', 'student', 'famkd'
    return {name: Classifier(str(checkpoints / f'{name}.pth')) for name in names}


def test_maps_and_their_similarity_are_those_of_the_stages(networks, image):
    stages = {t: TOOL.stage_names(n, None, image) for t, n in networks.items()}
    assert stages['student'][-2:] == STAGES[1:]
    stages = dict.fromkeys(networks, STAGES)
    figure = TOOL.plot_activation_maps([image, image], networks, stages)
    axes = np.reshape(figure.axes, (6, 7))
    assert [ax.get_ylabel() for ax in axes[:, 0]] == [*networks] * 2

    maps = {}
    for title, network in networks.items():
        _, inputs = network.prepare(image)
        *maps[title], scores = TOOL.features(network, inputs, STAGES)
        with torch.no_grad():
            assert torch.equal(scores, network.model(inputs))
    shown = axes[2, 3].images[0].get_array()
    np.testing.assert_allclose(shown, activation_map(maps['famkd'][2])[0])
    alike = activation_ssim(maps['famkd'][2], maps['teacher'][2]).item()
    assert axes[2, 3].get_xlabel() == f'SSIM {alike:.2f}'
    assert axes[0, 3].get_xlabel() == ''
    pyplot.close(figure)


def test_similarity_over_the_test_set(networks, capsys):
    twins = {'teacher': networks['teacher'], 'twin': networks['teacher']}
    stages = dict.fromkeys(twins, STAGES)
    scores = networks['teacher'].model.head.fc.bias.data
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        config = networks['teacher'].config.test_dataloader.dataset
        label = DATASETS.build(config)[0]['data_samples'].gt_label
    scores[label] = 1e9
    table = TOOL.mean_ssim(twins, stages, 1)
    assert table == {'twin': pytest.approx([1.0] * 3, abs=1e-4)}
    assert capsys.readouterr().out == 'teacher classifies 1 of 1 images right\n'
    scores[label] = -1e9
    with pytest.raises(ValueError, match='teacher classifies none of 1 images right'):
        TOOL.mean_ssim(twins, stages, 1)


def test_picture_and_errors(checkpoints, image, tmp_path, capsys):
    words = [image, '--network', 'A', str(checkpoints / 'teacher.pth')]
    out = tmp_path / 'new/maps.png'
    TOOL.main([*words, '--stage', STAGES[2], '--out', str(out)])
    assert pyplot.imread(out).shape[1] == 1600
    with pytest.raises(SystemExit, match="--stage: 'backbone.layer9' is no module"):
        TOOL.main([*words, '--stage', 'backbone.layer9'])
    with pytest.raises(SystemExit, match="--stage: 'neck' gives no map of more than"):
        TOOL.main([*words, '--stage', 'neck'])
    with pytest.raises(SystemExit, match='error: no.png: no such image'):
        TOOL.main(['no.png', *words[1:]])
