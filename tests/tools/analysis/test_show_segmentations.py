from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from matplotlib import pyplot

pytest.importorskip('mmseg')
from run_fixtures import save_networks  # noqa: E402
from tiny_segmentors import write_masks  # noqa: E402
from tool_fixtures import load_tool  # noqa: E402

TOOL = load_tool('analysis_tools/show_segmentations')
CONFIGS = Path(__file__).parents[3] / 'configs'
NAME = '1xb4-800i_camvid-144x192'


@pytest.fixture(scope='module')
def segmentors(tmp_path_factory):
    """Checkpoints of a segmentor, and of a distillation of which it is the student."""
    from mmengine.config import Config

    folder = tmp_path_factory.mktemp('segmentors')
    write_masks(folder, 'images', 'masks')
    camvid = Config.fromfile(CONFIGS / '_base_/datasets/camvid_144x192.py')
    recipes = {
        'student': f'camvid/pspnet_r18-w8_{NAME}',
        'famkd': f'camvid/famkd_pspnet_r18-w32_r18-w8_{NAME}',
    }
    save_networks(folder, recipes, camvid.metainfo.classes)
    return folder


def test_student_of_a_distillation(segmentors):
    image = str(segmentors / 'images/0.jpg')
    alone, distilled = (
        TOOL.Segmentor(str(segmentors / f'{x}.pth')) for x in ('student', 'famkd')
    )
    assert alone.classes[3] == 'road'
    assert list(alone.palette[3]) == [128, 64, 128]
    assert alone.reduce_zero_label is False
    found = alone.segment(image)
    assert found.shape == (60, 80)
    assert 0 <= found.min() <= found.max() < 11
    assert np.array_equal(distilled.segment(image), found)


@pytest.mark.parametrize('counts_from_1', [False, True])
def test_picture(segmentors, tmp_path, counts_from_1):
    class Found:
        classes = ('ground', 'box', 'disc')
        reduce_zero_label = counts_from_1
        palette = [[1, 2, 3], [200, 0, 0], [0, 0, 200]]

        def segment(self, file):
            return np.ones((60, 80), np.uint8)

    images = [str(segmentors / f'images/{i}.jpg') for i in (0, 1)]
    figure = TOOL.plot_segmentations(images, {'A': Found()}, str(segmentors / 'masks'))
    axes = figure.axes
    assert [ax.get_title() for ax in axes[:3]] == ['image', 'truth', 'A']
    shown = [ax.images[0].get_array() for ax in axes]
    assert np.array_equal(shown[0], cv2.imread(images[0])[..., ::-1])
    mask = TOOL.true_mask(str(segmentors / 'masks'), images[1], (60, 80))
    assert (shown[4][mask == 255] == 255).all()
    white = [[255] * 3] if counts_from_1 else []
    for value in (0, 2):
        assert (shown[4][mask == value] == [*white, *Found.palette][value]).all()
    assert (shown[5] == [200, 0, 0]).all()
    pyplot.close(figure)

    out = tmp_path / 'new/found.png'
    network = ['--network', 'A', str(segmentors / 'famkd.pth')]
    TOOL.main([images[0], *network, '--out', str(out)])
    assert pyplot.imread(out).shape[1] == 1600


def test_errors(segmentors, checkpoints, tmp_path, capsys):
    student = ['--network', 'student', str(segmentors / 'student.pth')]
    image = str(segmentors / 'images/0.jpg')
    classifier = ['--network', 'A', str(checkpoints / 'student.pth')]
    with pytest.raises(SystemExit, match='not the checkpoint of a segmentor'):
        TOOL.main([image, *classifier])
    with pytest.raises(SystemExit, match='no.png: no such image'):
        TOOL.main(['no.png', *student])
    with pytest.raises(SystemExit, match=r'has no mask 0\.\*'):
        TOOL.main([image, *student, '--masks', str(tmp_path)])
    with pytest.raises(SystemExit):
        TOOL.main([image, *student, '--masks', 'nowhere'])
    assert "there is no folder 'nowhere'" in capsys.readouterr().err


def test_a_config_without_test_data(monkeypatch):
    from mmengine.config import Config

    config = Config(dict(default_scope='mmseg', test_dataloader=None))
    network = SimpleNamespace(to=lambda device: None)
    monkeypatch.setattr(TOOL, 'load_network', lambda *files: (network, config, ['a']))
    with pytest.raises(ValueError, match=r'no test_dataloader\.dataset\.pipeline'):
        TOOL.Segmentor('a.pth')


@pytest.mark.parametrize(
    ('mask', 'message'),
    [
        (np.zeros((60, 80, 3), np.uint8), r'the shape \(60, 80, 3\)'),
        (np.zeros((30, 40), np.uint8), r'the shape \(30, 40\) .*image, \(60, 80\)'),
        (np.full((60, 80), 300, np.uint16), 'values from 300 to 300'),
        (None, 'cannot be read as an image'),
    ],
)
def test_wrong_masks(mask, message, tmp_path):
    if mask is None:
        (tmp_path / 'a.png').write_bytes(b'no image')
    else:
        cv2.imwrite(str(tmp_path / 'a.png'), mask)
    with pytest.raises(ValueError, match=message):
        TOOL.true_mask(str(tmp_path), 'a.jpg', (60, 80))


def test_networks_of_other_classes(segmentors):
    image = str(segmentors / 'images/0.jpg')
    two, three = (SimpleNamespace(classes=x) for x in (('a', 'b'), ('a', 'b', 'c')))
    with pytest.raises(ValueError, match=r"of 'A' are \['a', 'b'\], those of 'B' \["):
        TOOL.plot_segmentations([image], {'A': two, 'B': three})
