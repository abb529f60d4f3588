from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib import pyplot

pytest.importorskip('mmdet')
from run_fixtures import save_networks  # noqa: E402
from tool_fixtures import load_tool  # noqa: E402

TOOL = load_tool('analysis_tools/show_detections')
Detector = TOOL.Detector
main = TOOL.main
plot_detections = TOOL.plot_detections
true_boxes = TOOL.true_boxes

CLASSES = 'RBC', 'WBC', 'Platelets'


@pytest.fixture(scope='module')
def detectors(tmp_path_factory):
    """Checkpoints of a detector, and of a distillation of which it is the student."""
    folder = tmp_path_factory.mktemp('detectors')
    recipes = {
        'student': 'bccd/faster-rcnn_r18-w8_fpn_1xb8-600i_bccd-small',
        'famkd': 'bccd/famkd_faster-rcnn_r18-w32_r18-w8_fpn_1xb8-600i_bccd-small',
    }
    save_networks(folder, recipes, CLASSES)
    return folder


def test_student_of_a_distillation(detectors, shapes_coco):
    image = str(shapes_coco / 'images/0.png')
    alone, distilled = (
        Detector(str(detectors / f'{x}.pth')) for x in ('student', 'famkd')
    )
    found = alone.detect(image, 0.0)
    assert found
    assert distilled.detect(image, 0.0) == found
    height, width = cv2.imread(image).shape[:2]
    for name, (x1, y1, x2, y2) in found:
        assert name in CLASSES
        assert 0 <= x1 <= x2 <= width
        assert 0 <= y1 <= y2 <= height
    assert alone.detect(image, 1.1) == []


def test_picture(detectors, shapes_coco, tmp_path):
    class Found:
        classes = ('box', 'disc')

        def detect(self, file, least_score):
            return [('disc', [1.0, 2.0, 5.0, 8.0])]

    images = [str(shapes_coco / f'images/{i}.png') for i in (0, 1)]
    annotations = str(shapes_coco / 'shapes.json')
    _, truth = true_boxes(annotations, images)
    assert [name for name, _ in truth] == ['box', 'disc']
    figure = plot_detections(images, {'A': Found()}, annotations=annotations)
    axes = figure.axes
    assert [ax.get_title() for ax in axes[:2]] == ['truth', 'A']
    assert np.array_equal(
        axes[0].images[0].get_array(), cv2.imread(images[0])[..., ::-1]
    )
    for (_, box), patch in zip(truth, axes[2].patches, strict=True):
        assert patch.get_bbox().extents.tolist() == box
    (patch,) = axes[3].patches
    assert patch.get_bbox().extents.tolist() == [1, 2, 5, 8]
    # Discs have one colour, whoever found them.
    assert patch.get_edgecolor() == axes[2].patches[1].get_edgecolor()
    assert patch.get_edgecolor() != axes[2].patches[0].get_edgecolor()
    pyplot.close(figure)

    out = tmp_path / 'new/found.png'
    main([images[0], '--network', 'A', str(detectors / 'famkd.pth'), '--out', str(out)])
    assert pyplot.imread(out).shape[1] == 1600


def test_the_legend_has_what_is_drawn(shapes_coco):
    class Found:
        classes = [f'class {i}' for i in range(80)]  # none of those in the annotations

        def detect(self, file, least_score):
            return [('class 70', [1.0, 2.0, 5.0, 8.0])]

    images = [str(shapes_coco / f'images/{i}.png') for i in (0, 1)]
    annotations = str(shapes_coco / 'shapes.json')
    figure = plot_detections(images, {'A': Found()}, annotations=annotations)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ['box', 'class 70', 'disc']
    pyplot.close(figure)


def test_errors(detectors, checkpoints, shapes_coco, tmp_path, capsys):
    student = ['--network', 'student', str(detectors / 'student.pth')]
    image = str(shapes_coco / 'images/0.png')
    classifier = ['--network', 'A', str(checkpoints / 'student.pth')]
    with pytest.raises(SystemExit, match='student.pth is not the checkpoint of a det'):
        main([image, *classifier])
    with pytest.raises(SystemExit, match='no.png: no such image'):
        main(['no.png', *student])
    text = tmp_path / 'text.png'
    text.write_text('no image')
    with pytest.raises(SystemExit, match='text.png: cannot be read as an image'):
        main([str(text), *student])
    annotations = ['--annotations', str(shapes_coco / 'shapes.json')]
    copy = tmp_path / 'other.png'
    copy.write_bytes(Path(image).read_bytes())
    with pytest.raises(SystemExit, match='shapes.json has no image other.png'):
        main([str(copy), *student, *annotations])
    with pytest.raises(SystemExit):
        main([image, *student, '--annotations', 'no.json'])
    assert "there is no file 'no.json'" in capsys.readouterr().err
