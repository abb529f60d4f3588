"""Image-mask folders, right and wrong."""

import re

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmseg')

from mmengine.logging import MMLogger  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmseg.registry import DATASETS  # noqa: E402

import famkd.datasets.checked_seg  # noqa: E402, F401

CLASSES = ('ground', 'box', 'disc')


@pytest.fixture(autouse=True)
def scope_of_mmseg(no_default_scope):
    init_default_scope('mmseg')


@pytest.fixture
def load(tmp_path):
    """Function (mask, **options): a data set of three images, one with this mask."""

    def make(mask=None, load=None, **options):
        for folder in ('images', 'masks'):
            (tmp_path / folder).mkdir(exist_ok=True)
        for i in range(3):
            image = np.full((6, 8, 3), 100, np.uint8)
            Image.fromarray(image).save(tmp_path / f'images/{i}.jpg')
            labels = np.full((6, 8), i, np.uint8)
            labels[0] = 255
            Image.fromarray(labels).save(tmp_path / f'masks/{i}.png')
        if mask is not None:
            mask.save(tmp_path / 'masks/1.png')
        return DATASETS.build(
            dict(
                dict(
                    type='CheckedSegDataset',
                    data_root=str(tmp_path),
                    data_prefix=dict(img_path='images', seg_map_path='masks'),
                    metainfo=dict(classes=CLASSES),
                    pipeline=[
                        dict(type='LoadImageFromFile'),
                        dict(type='Resize', scale=(4, 3)),
                        dict(type='CheckedLoadMask', **(load or {})),
                    ],
                ),
                **options,
            )
        )

    return make


def test_what_fits_is_loaded_as_mmseg_does(load):
    dataset = load()
    assert len(dataset) == 3
    mask = dataset[2]['gt_seg_map']
    assert mask.shape == (6, 8)
    assert np.unique(mask).tolist() == [2, 255]


def test_void_is_ignored(load):
    labels = np.full((6, 8), 11, np.uint8)
    labels[0, 0] = 1
    dataset = load(Image.fromarray(labels), dict(void=11))
    assert np.unique(dataset[1]['gt_seg_map']).tolist() == [1, 255]


def test_void_is_no_class(load):
    with pytest.raises(ValueError, match=r'void=2 .* number of a class \(0 to 2\)'):
        load(load=dict(void=2))[1]


def test_numbers_are_those_of_the_file(load):
    labels = np.full((6, 8), 4, np.uint8)
    labels[0], labels[1] = 0, 3
    options = dict(mask=Image.fromarray(labels), reduce_zero_label=True)
    mask = load(load=dict(void=4), **options)[1]['gt_seg_map']
    assert np.unique(mask).tolist() == [2, 255]
    with pytest.raises(ValueError, match=r'the value 4, .* 3 classes, 1 to 3 \('):
        load(**options)[1]
    with pytest.raises(ValueError, match=r'void=3 .* \(1 to 3\)'):
        load(load=dict(void=3), **options)[1]


def test_indices_of_a_palette_are_labels(load):
    image = Image.fromarray(np.full((6, 8), 2, np.uint8)).convert('P')
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    assert np.unique(load(image)[1]['gt_seg_map']).tolist() == [2]


def test_unknown_value(load):
    labels = np.full((6, 8), 1, np.uint8)
    labels[2, 2] = 7
    dataset = load(Image.fromarray(labels))
    with pytest.raises(ValueError, match=r"1\.png' has the value 7, .* 3 classes"):
        dataset[1]


def test_colour_image(load):
    dataset = load(Image.new('RGB', (8, 6)))
    with pytest.raises(ValueError, match=r"1\.png' is a colour image"):
        dataset[1]


def pixels(value, kind):
    return Image.fromarray(np.full((6, 8), value, kind))


@pytest.mark.parametrize(
    ('image', 'format', 'message'),
    [
        (pixels(257, np.uint16), 'PNG', 'has the value 257; classes are whole numbers'),
        (pixels(1.5, np.float32), 'TIFF', 'has the value 1.5; classes are'),
        (pixels(np.nan, np.float32), 'TIFF', 'has the value nan; classes are'),
        (pixels(-1, np.int32), 'TIFF', 'has the value -1; classes are'),
        (pixels(1, np.uint8), 'JPEG', 'is a JPEG, .*; save it as PNG'),
        (pixels(1, np.uint8), None, r'cannot be read \(Unidentified.*; replace it'),
    ],
)
def test_a_hostile_mask(image, format, message, load, tmp_path):
    dataset, path = load(), tmp_path / 'masks/1.png'
    path.write_bytes(b'no image')
    if format:
        image.save(path, format=format)
    with pytest.raises(ValueError, match=rf"the mask '.*1\.png' {message}"):
        dataset[1]


def test_small_numbers_of_16_bits_are_labels(load):
    assert np.unique(load(pixels(2, np.uint16))[1]['gt_seg_map']).tolist() == [2]


def test_other_size_than_the_image(load):
    dataset = load(Image.new('L', (6, 8)))
    with pytest.raises(ValueError, match=r"1\.png' is 6x8, its image .* 8x6"):
        dataset[1]


def test_images_without_masks(load, tmp_path):
    load()
    Image.new('RGB', (8, 6)).save(tmp_path / 'images/more.jpg')
    with pytest.raises(ValueError, match=r'1 of 4 images have no mask: .*more\.png'):
        load()
    with pytest.raises(ValueError, match=r"4 of 4 .*seg_map_suffix.*'_labels\.png'"):
        load(seg_map_suffix='_labels.png')


def test_masks_without_images(load, tmp_path):
    log = tmp_path / 'log'
    MMLogger.get_instance('masks', log_file=str(log))
    load()
    assert not log.read_text()
    Image.new('L', (8, 6)).save(tmp_path / 'masks/more.png')
    load()
    assert re.search(r"1 masks .* no image \*\.jpg .*more\.png'; img_", log.read_text())


def test_images_alone_can_be_predicted(load):
    dataset = load(data_prefix=dict(img_path='images'), test_mode=True)
    assert dataset[0]['img'].shape == (3, 4, 3)


def test_no_images(load):
    with pytest.raises(ValueError, match=r'has no image \*\.bmp; .*img_suffix'):
        load(img_suffix='.bmp')


def test_labels_of_cityscapes_that_are_no_train_ids(tmp_path):
    for folder in ('images', 'masks'):
        (tmp_path / folder).mkdir()
    Image.new('RGB', (8, 6)).save(tmp_path / 'images/a_leftImg8bit.png')
    Image.new('L', (8, 6), 23).save(tmp_path / 'masks/a_gtFine_labelTrainIds.png')
    dataset = DATASETS.build(
        dict(
            type='CheckedCityscapesDataset',
            data_root=str(tmp_path),
            data_prefix=dict(img_path='images', seg_map_path='masks'),
            pipeline=[dict(type='LoadImageFromFile'), dict(type='CheckedLoadMask')],
        )
    )
    with pytest.raises(ValueError, match='has the value 23, but there are 19 classes'):
        dataset[0]
