import numpy as np
import pytest
from mmpretrain.datasets import CIFAR100
from PIL import Image

from famkd.datasets import CIFAR100Folders


@pytest.fixture
def folder(tmp_path):
    """Two images of two classes, for training; red first, then blue."""
    for name in ('apple', 'worm'):
        for i, color in enumerate([(255, 0, 0), (0, 0, 255)]):
            path = tmp_path / 'train' / name / f'{i:03}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new('RGB', (32, 32), color).save(path)
    return tmp_path


def test_labels_are_those_of_the_archive(folder):
    data = CIFAR100Folders(str(folder))
    assert [item['gt_label'] for item in data] == [0, 0, 99, 99]
    classes = CIFAR100.METAINFO['classes']
    assert list(data.metainfo['classes']) == list(classes) == sorted(classes)


def test_images_are_rgb_as_in_the_archive(folder):
    red, blue = (data['img'] for data in list(CIFAR100Folders(str(folder)))[:2])
    assert red.shape == (32, 32, 3) and red.dtype == np.uint8
    assert red[0, 0].tolist() == [255, 0, 0]
    assert blue[0, 0].tolist() == [0, 0, 255]


def test_hidden_files_are_no_images_and_empty_classes_are_named(folder, monkeypatch):
    said = []
    monkeypatch.setattr(
        'famkd.datasets.cifar100_folders.print_log', lambda text, *_: said.append(text)
    )
    (folder / 'train/.cache').mkdir()
    (folder / 'train/apple/.DS_Store').write_bytes(b'x')
    for path in (folder / 'train/worm').iterdir():
        path.unlink()
    assert len(CIFAR100Folders(str(folder))) == 2
    empty = 'no images of 99 of the 100 classes (aquarium_fish, ...)'
    assert [text.partition(': ')[2] for text in said] == [empty]


def test_errors(folder):
    with pytest.raises(ValueError, match="split must be 'train' or 'test', got 'val'"):
        CIFAR100Folders(str(folder), split='val')
    with pytest.raises(FileNotFoundError, match='/test/CLASS/.* docs/datasets.md'):
        CIFAR100Folders(str(folder), split='test')
    path = folder / 'train/worm/001.png'
    path.write_bytes(b'not an image')
    with pytest.raises(ValueError, match=f"image '{path}' cannot be read"):
        CIFAR100Folders(str(folder))
    Image.new('RGB', (64, 48)).save(path)
    with pytest.raises(ValueError, match=f"image '{path}' has 64x48 pixels"):
        CIFAR100Folders(str(folder))
    (folder / 'train/hamburger').mkdir()
    with pytest.raises(ValueError, match='train/hamburger is no class of CIFAR-100'):
        CIFAR100Folders(str(folder))
