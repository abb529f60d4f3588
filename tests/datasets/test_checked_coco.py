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


@pytest.fixture
def content(shapes_coco):
    return json.loads((shapes_coco / 'shapes.json').read_text())


@pytest.mark.parametrize(
    ('part', 'values', 'message'),
    [
        (
            'annotations',
            dict(bbox=[float('nan')] * 4),
            r'1 with bbox=\[nan.*four finite',
        ),
        ('annotations', dict(bbox=[1, 1, -3, 4]), r'bbox=\[1, 1, -3, 4\]; it must be'),
        ('annotations', dict(bbox=[1, 1, 3]), r'bbox=\[1, 1, 3\]; it must be'),
        ('annotations', dict(bbox=['1'] * 4), 'it must be .x, y, width, height.'),
        ('annotations', dict(bbox=None), 'bbox=None; it must be'),
        ('annotations', dict(area='big'), "area='big'; give a number of pixels"),
        ('annotations', dict(iscrowd='no'), "iscrowd='no'; it must be 0 or 1"),
        ('annotations', dict(category_id=77), 'category_id=77, which is none of cat'),
        ('annotations', dict(image_id=[7]), r'image_id=\[7\], which is none of images'),
        ('annotations', dict(id=2), 'the id 2 twice in annotations; number them anew'),
        ('annotations', dict(id=None), r'no id in annotations\[0\], .* add one'),
        ('images', dict(id=1), 'the id 1 twice in images; number them anew'),
        ('images', dict(file_name=None), '0 with file_name=None; name its file'),
        ('images', dict(width=-2), '0 with width=-2; give its size in pixels'),
        ('images', dict(height='a'), "0 with height='a'; give its size in pixels"),
        (
            'images',
            dict(file_name='gone.jpg'),
            "1 of 12 images .* no '.*gone.jpg'; add",
        ),
        ('categories', dict(name=None), 'no name of the category 1; add it'),
    ],
)
def test_a_hostile_entry(part, values, message, load, content):
    content[part][0].update(values)
    with pytest.raises(ValueError, match=message) as error:
        load(**content)
    assert 'changed.json' in str(error.value)


@pytest.mark.parametrize(
    ('part', 'value', 'message'),
    [
        ('images', [], "has no images .'images' is empty"),
        ('images', None, "has no list 'images'; give a file in the format of COCO"),
        ('annotations', {'a': 1}, "has no list 'annotations'"),
        ('categories', ['box'], r"has no id in categories\[0\], 'box'; add one"),
    ],
)
def test_a_hostile_list(part, value, message, load):
    with pytest.raises(ValueError, match=f"ann_file='.*changed.json' {message}"):
        load(**{part: value})


def test_a_box_without_height_is_left_out_as_in_coco(load, content):
    content['annotations'][0]['bbox'][3] = 0
    assert len(load(**content).get_data_info(0)['instances']) == 1
