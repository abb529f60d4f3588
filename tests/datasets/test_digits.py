import sys

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

import famkd.datasets  # noqa: F401


def digits(**kwargs):
    return DATASETS.build(dict(type='Digits', **kwargs))


def labels(dataset):
    return dataset.get_gt_labels()


def test_splits_share_no_image_and_hold_all_classes():
    train, test = digits(split='train'), digits(split='test')
    assert (len(train), len(test)) == (1000, 797)
    for dataset in (train, test):
        counts = np.bincount(labels(dataset), minlength=10)
        assert counts.min() > 0.09 * len(dataset)
    # Scans differ in grey values; scikit-learn's set holds no image twice.
    images = {item['img'].tobytes() for d in (train, test) for item in d}
    assert len(images) == 1797


def test_images_are_grey_uint8_of_full_range():
    images = np.stack([item['img'] for item in digits(split='test')])
    assert images.dtype == np.uint8
    assert images.shape == (797, 8, 8, 3)
    assert (images.min(), images.max()) == (0, 255)
    assert np.array_equal(images[..., 0], images[..., 2])


def test_the_split_is_always_the_same():
    assert labels(digits())[:12].tolist() == labels(digits())[:12].tolist()
    few = digits(num_per_class=3)
    assert np.bincount(labels(few)).tolist() == [3] * 10
    whole = [item['img'].tobytes() for item in digits()]
    places = [whole.index(item['img'].tobytes()) for item in few]
    assert places == sorted(places)


def test_pipeline_is_applied():
    item = digits(pipeline=[dict(type='Resize', scale=32)])[0]
    assert item['img'].shape == (32, 32, 3)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(split='val'), "split must be 'train' or 'test', got 'val'"),
        (dict(num_per_class=0), 'num_per_class must be 1 to 97 for the train split'),
        (dict(num_per_class=98), 'got 98'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        digits(**kwargs)


def test_scikit_learn_that_is_missing_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sklearn.datasets', None)
    with pytest.raises(ImportError, match='pip install scikit-learn .*"demo"'):
        digits()
