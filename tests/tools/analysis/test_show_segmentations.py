from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from matplotlib import pyplot

pytest.importorskip('mmseg')
from tiny_segmentors import write_masks  # noqa: E402
from tool_fixtures import load_tool  # noqa: E402

TOOL = load_tool('analysis_tools/show_segmentations')
CONFIGS = Path(__file__).parents[3] / 'configs/camvid'
NAME = '1xb4-800i_camvid-144x192'


@pytest.fixture(scope='module')
def segmentors(tmp_path_factory):
    """Checkpoints of a segmentor, and of a distillation of which it is the student."""
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    from famkd.models.algorithms.networks import build_network

    folder = tmp_path_factory.mktemp('segmentors')
    write_masks(folder, 'images', 'masks')
    names = {
        'student': f'pspnet_r18-w8_{NAME}',
        'famkd': f'famkd_pspnet_r18-w32_r18-w8_{NAME}',
    }
    for name, file in names.items():
        config = Config.fromfile(CONFIGS / f'{file}.py')
        if name == 'famkd':
            config.model.update(teacher_ckpt=None, allow_random_teacher=True)
        with DefaultScope.overwrite_default_scope('mmseg'):
            torch.manual_seed(0)
            model = build_network(config.model)
        if name == 'student':
            student = model.state_dict()
        else:
            model.student.load_state_dict(student)
        classes = config.test_dataloader.dataset.metainfo.classes
        meta = dict(cfg=config.pretty_text, dataset_meta=dict(classes=classes))
        content = dict(state_dict=model.state_dict(), meta=meta)
        torch.save(content, folder / f'{name}.pth')
    return folder


def test_student_of_a_distillation(segmentors):
    image = str(segmentors / 'images/0.jpg')
    alone, distilled = (
        TOOL.Segmentor(str(segmentors / f'{x}.pth')) for x in ('student', 'famkd')
    )
    assert alone.classes[3] == 'road'
    assert list(alone.palette[3]) == [128, 64, 128]
    found = alone.segment(image)
    assert found.shape == (60, 80)
    assert 0 <= found.min() <= found.max() < 11
    assert np.array_equal(distilled.segment(image), found)


def test_picture(segmentors, tmp_path):
    class Found:
        classes = ('ground', 'box', 'disc')
        palette = [[1, 2, 3], [200, 0, 0], [0, 0, 200]]

        def segment(self, file):
            return np.ones((60, 80), np.uint8)

    images = [str(segmentors / f'images/{i}.jpg') for i in (0, 1)]
    figure = TOOL.plot_segmentations(images, {'A': Found()}, str(segmentors / 'masks'))
    axes = figure.axes
    assert [ax.get_title() for ax in axes[:3]] == ['image', 'truth', 'A']
    shown = [ax.images[0].get_array() for ax in axes]
    assert np.array_equal(shown[0], cv2.imread(images[0])[..., ::-1])
    mask = TOOL.true_mask(str(segmentors / 'masks'), images[1])
    assert (shown[4][mask == 255] == 255).all()
    assert (shown[4][mask == 2] == [0, 0, 200]).all()
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
