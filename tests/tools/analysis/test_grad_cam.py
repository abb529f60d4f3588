import sys

import numpy as np
import pytest
import torch
from matplotlib import pyplot

pytest.importorskip('pytorch_grad_cam')
import cv2  # noqa: E402
from tool_fixtures import load_tool  # noqa: E402

from famkd.apis.classifier import Classifier, as_map  # noqa: E402

TOOL = load_tool('analysis_tools/grad_cam')
main = TOOL.main
plot_grad_cam = TOOL.plot_grad_cam


@pytest.fixture
def image(tmp_path):
    file = tmp_path / 'image.png'
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    cv2.imwrite(str(file), pixels[..., ::-1])
    return str(file)


def test_heat_map_is_grad_cam_of_the_last_stage(checkpoints, image):
    network = Classifier(str(checkpoints / 'student.pth'))
    shown, inputs = network.prepare(image)
    assert shown.shape == (32, 32, 3)
    assert inputs.shape == (1, 3, 32, 32)
    # Behind the pooling there is one linear layer: the gradients are its weights.
    (features,) = network.model.extract_feat(inputs, stage='backbone')
    weights = network.model.head.fc.weight[7]
    expected = torch.einsum('chw,c->hw', features[0], weights).relu().detach().numpy()
    expected = cv2.resize(expected, (32, 32))
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    np.testing.assert_allclose(network.heat_map(inputs, 7), expected, atol=1e-4)

    other = Classifier(str(checkpoints / 'student.pth'), layer='backbone.layer2')
    assert not np.allclose(other.heat_map(inputs, 7), expected, atol=0.1)


def test_colours_are_those_of_the_file(checkpoints, image):
    network = Classifier(str(checkpoints / 'student.pth'))
    network.pipeline.transforms.pop(0)  # the resizing
    shown, _ = network.prepare(image)
    assert np.array_equal(shown, cv2.imread(image)[..., ::-1])
    network.channel_order = 'bgr'
    shown, inputs = network.prepare(image)
    assert np.array_equal(shown, cv2.imread(image)[..., ::-1])


def test_the_student_of_a_distillation(checkpoints, image):
    student = Classifier(str(checkpoints / 'student.pth'))
    distilled = Classifier(str(checkpoints / 'famkd.pth'))
    _, inputs = student.prepare(image)
    assert torch.equal(student.prepare(image)[1], distilled.prepare(image)[1])
    assert torch.equal(student.probabilities(inputs), distilled.probabilities(inputs))


def test_picture(checkpoints, image, tmp_path):
    networks = {
        x: Classifier(str(checkpoints / f'{x}.pth')) for x in ('teacher', 'famkd')
    }
    figure = plot_grad_cam([image, image], networks)
    axes = figure.axes[:6]
    assert [ax.get_title() for ax in axes[:3]] == ['image', 'teacher', 'famkd']
    _, inputs = networks['teacher'].prepare(image)
    scores = networks['teacher'].probabilities(inputs)
    label = int(scores.argmax())
    assert axes[0].get_xlabel() == f'heat maps of\ndigit {label}'
    assert axes[1].get_xlabel() == f'says digit {label}\n({scores.max():.0%})'
    # The student's heat map, too, is that of the teacher's class.
    heat = axes[2].images[1].get_array()
    np.testing.assert_allclose(heat, networks['famkd'].heat_map(inputs, label))
    pyplot.close(figure)

    out = tmp_path / 'new/cam.png'
    words = [image, '--class', '3', '--out', str(out)]
    main([*words, '--network', 'A', str(checkpoints / 'teacher.pth')])
    assert pyplot.imread(out).shape[1] == 1600


def test_other_methods(checkpoints, image):
    file = str(checkpoints / 'student.pth')
    network = Classifier(file, method='layercam')
    _, inputs = network.prepare(image)
    other = Classifier(file).heat_map(inputs, 7)
    assert not np.allclose(network.heat_map(inputs, 7), other, atol=0.05)


def test_heat_map_of_a_vision_transformer():
    from mmpretrain.models import ImageClassifier

    torch.manual_seed(0)
    arch = dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=32)
    network = Classifier.__new__(Classifier)
    network.layer, network.method = None, 'gradcam'
    network.model = ImageClassifier(
        backbone=dict(
            type='VisionTransformer', arch=arch, img_size=(64, 96), patch_size=16
        ),
        head=dict(type='VisionTransformerClsHead', num_classes=3, in_channels=32),
    ).eval()
    torch.nn.init.normal_(network.model.head.layers.head.weight)
    inputs = torch.randn(1, 3, 64, 96)
    # A map is 0 where all of it speaks against the class.
    maps = [network.heat_map(inputs, label) for label in range(3)]
    assert maps[0].shape == (64, 96)
    assert max(heat.std() for heat in maps) > 0


def test_tokens_of_patches_become_a_map():
    patches = torch.arange(24.0).view(1, 4, 6)
    tokens = torch.cat([torch.zeros(1, 1), patches.flatten(1)], 1)[..., None]
    assert torch.equal(as_map(tokens, (4, 6))[0], patches)
    # Merged two by two, and without a class token.
    assert as_map(tokens[:, :6], (4, 6)).shape == (1, 1, 2, 3)


def test_a_config_without_test_data(monkeypatch):
    from mmengine.config import Config

    loaded = torch.nn.Identity(), Config(), None
    monkeypatch.setattr('famkd.apis.classifier.load_network', lambda *files: loaded)
    with pytest.raises(ValueError, match=r'no test_dataloader\.dataset\.pipeline'):
        Classifier('a.pth')


def test_a_detector_is_refused():
    network = Classifier.__new__(Classifier)
    network.model = lambda inputs: [inputs, inputs]
    with pytest.raises(ValueError, match='no classifier; show_detections.py shows'):
        network.probabilities(torch.zeros(1, 3, 8, 8))


def test_errors(checkpoints, image, tmp_path, monkeypatch, capsys):
    student = ['--network', 'student', str(checkpoints / 'student.pth')]
    with pytest.raises(SystemExit, match='error: no.png: no such image'):
        main(['no.png', *student])
    text = tmp_path / 'text.png'
    text.write_text('no image')
    with pytest.raises(SystemExit, match='text.png: cannot be read as an image'):
        main([str(text), *student])
    with pytest.raises(SystemExit, match='student has 10 classes, not a 10'):
        main([image, *student, '--class', '10'])
    with pytest.raises(
        SystemExit, match='--layer backbone.layer9 is no module .*layer'
    ):
        main([image, *student, '--layer', 'backbone.layer9'])
    config = tmp_path / 'config.py'
    config.write_text(torch.load(checkpoints / 'teacher.pth')['meta']['cfg'])
    with pytest.raises(SystemExit, match='student.pth is not of the network in its'):
        main([image, *student, '--config', 'student', str(config)])
    with pytest.raises(SystemExit):
        main([image, '--network', 'label'])
    assert '--network: expected 2 arguments' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([image, *student, '--config', 'teacher', str(config)])
    assert '--config teacher: no such network; --network has student' in (
        capsys.readouterr().err
    )
    monkeypatch.setitem(sys.modules, 'pytorch_grad_cam', None)
    with pytest.raises(
        SystemExit, match='grad-cam is missing; .* pip install grad-cam'
    ):
        main([image, *student])
