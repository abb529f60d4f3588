import json

import pytest

pytest.importorskip('mmdet')

from mmdet.registry import DATASETS  # noqa: E402

import famkd.datasets.checked_coco  # noqa: E402, F401


@pytest.fixture
def load(shapes_coco, tmp_path):
    """Function (classes, **changes): the data set, of a file with these changes."""

    def make(classes=('box', 'disc'), **changes):
        content = json.loads((shapes_coco / 'shapes.json').read_text())
        path = tmp_path / 'changed.json'
        path.write_text(json.dumps({**content, **changes}))
        return DATASETS.build(
            dict(
                type='CheckedCocoDataset',
                data_root=str(shapes_coco),
                ann_file=str(path),
                data_prefix=dict(img='images/'),
                metainfo=dict(classes=classes),
            )
        )

    return make


def test_what_fits_is_loaded_as_mmdet_does(load):
    dataset = load()
    assert len(dataset) == 12
    labels = [i['bbox_label'] for i in dataset.get_data_info(0)['instances']]
    assert labels == [0, 1]


def test_no_boxes(load):
    with pytest.raises(
        ValueError, match="ann_file='.*changed.json' has no boxes .*'Co"
    ):
        load(annotations=[])


def test_unknown_category(load):
    with pytest.raises(
        ValueError, match="does not know: 'disc'. Its classes are 'box'; add them to"
    ):
        load(classes=('box',))


def test_missing_category(load):
    with pytest.raises(ValueError, match="no category 'star', which the config names"):
        load(classes=('box', 'disc', 'star'))


def test_other_order(load):
    with pytest.raises(ValueError, match="in the order 'box', 'disc', by which mmdet"):
        load(classes=('disc', 'box'))
