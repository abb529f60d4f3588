import logging
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

import famkd.datasets.checked_load_image as module

BROKEN = {'empty': b'', 'text': b'not an image', 'missing': None}


@pytest.fixture
def folder(tmp_path):
    """Two classes of three readable images each."""
    for label in ('cat', 'dog'):
        for i in range(3):
            path = tmp_path / label / f'{i}.png'
            path.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(path), np.full((8, 8, 3), 50 * i, np.uint8))
    return tmp_path


def break_image(path, how):
    if BROKEN[how] is None:
        path.unlink()
    else:
        path.write_bytes(BROKEN[how])


def dataset(folder, **kwargs):
    test_mode = kwargs.pop('test_mode', False)
    return DATASETS.build(
        dict(
            type='mmpretrain.CustomDataset',
            data_root=str(folder),
            test_mode=test_mode,
            pipeline=[
                dict(type='CheckedLoadImageFromFile', **kwargs),
                dict(type='mmpretrain.PackInputs'),
            ],
        )
    )


def paths(data):
    return [item['data_samples'].img_path for item in data]


def test_readable_images(folder):
    images = [item['inputs'] for item in dataset(folder)]
    assert len(images) == 6
    assert images[1].shape == (3, 8, 8)
    assert images[1].float().mean() == 50


@pytest.mark.parametrize('how', BROKEN)
def test_unreadable_image_is_named(how, folder):
    data = dataset(folder)
    path = folder / 'cat' / '1.png'
    break_image(path, how)
    with pytest.raises(ValueError) as error:
        paths(data)
    assert str(error.value).startswith(f"the image '{path}' cannot be read (")
    assert 'skip_unreadable=True' in str(error.value)


@pytest.mark.parametrize('how', BROKEN)
def test_unreadable_image_is_skipped_if_asked(how, folder, monkeypatch):
    data = dataset(folder, skip_unreadable=True)
    path = folder / 'cat' / '1.png'
    break_image(path, how)
    log = Mock()
    monkeypatch.setattr(module, 'print_log', log)
    for _ in range(2):
        given = paths(data)
        assert len(given) == 6
        assert str(path) not in given
    log.assert_called_once_with(
        f'skipped unreadable image {str(path)!r}', 'current', logging.WARNING
    )


def test_no_skipping_in_tests(folder):
    data = dataset(folder, skip_unreadable=True, test_mode=True)
    break_image(folder / 'cat' / '1.png', 'empty')
    with pytest.raises(Exception, match='Test time'):
        paths(data)


def test_jpeg_that_ends_early(folder):
    path = folder / 'cat' / '3.jpg'
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(path), noise)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match='3.jpg.* cannot be read .OSError'):
        paths(dataset(folder, imdecode_backend='pillow'))
