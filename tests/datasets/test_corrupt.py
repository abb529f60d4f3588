import numpy as np
import pytest

from famkd.datasets import Corrupt
from famkd.datasets.corrupt import CORRUPTIONS

imagecorruptions = pytest.importorskip('imagecorruptions')


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (40, 64, 3), dtype=np.uint8)


def corrupt(name, image, severity=3, img_id=0):
    results = dict(img=image.copy(), img_id=img_id)
    return Corrupt(name, severity).transform(results)['img']


def test_the_benchmark_has_the_fifteen_corruptions_of_the_library():
    assert list(CORRUPTIONS) == imagecorruptions.get_corruption_names()


# Compiling glass_blur alone would take longer than all others together.
@pytest.mark.parametrize('name', [n for n in CORRUPTIONS if n != 'glass_blur'])
def test_every_corruption_keeps_shape_and_type(name, image):
    out = corrupt(name, image)
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert (out != image).any()


def test_an_image_is_corrupted_in_the_same_way_every_time(image):
    first = corrupt('gaussian_noise', image)
    state = np.random.get_state()[1].copy()
    assert (corrupt('gaussian_noise', image) == first).all()
    assert (np.random.get_state()[1] == state).all()
    assert (corrupt('gaussian_noise', image, img_id=1) != first).any()


def test_severity_zero_leaves_the_image(image):
    assert (corrupt('fog', image, severity=0) == image).all()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(corruption='rain'), "corruption='rain' .* choose one of gaussian_noise"),
        (dict(corruption='fog', severity=6), 'severity=6 of Corrupt must be 0 to 5'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        Corrupt(**options)


@pytest.mark.parametrize('shape', [(31, 64, 3), (64, 64, 4)])
def test_an_image_that_the_library_does_not_take_is_named(shape):
    results = dict(img=np.zeros(shape, np.uint8), img_path='small.png')
    with pytest.raises(ValueError, match=f'small.png.*{shape[0]}x64 with {shape[2]}'):
        Corrupt('fog').transform(results)


def test_detectors_find_it_by_its_name():
    pytest.importorskip('mmdet')
    from mmdet.registry import TRANSFORMS

    config = dict(type='Corrupt', corruption='fog', severity=2)
    assert repr(TRANSFORMS.build(config)) == "Corrupt(corruption='fog', severity=2)"
