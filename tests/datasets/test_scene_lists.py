"""MIT Indoor 67, ADE20K's scenes and SUN397, in the layout of docs/scenes.md."""

import logging

import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

import famkd.datasets  # noqa: F401
from famkd.datasets import scene_list

MIT = {
    'train': ['train/gameroom/bt_1 a.jpg', 'train/bar/2.jpg', 'train/attic/3.jpg'],
    'val': ['val/gameroom/4.jpg', 'val/bar/5 b c.jpg'],
}
ADE = {
    'training': [
        'ADE_train_00000001 airport_terminal',
        'ADE_train_00000002 abbey',
    ],
    'validation': ['ADE_val_00000001 abbey'],
}


def write_images(root, paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / path), np.zeros((4, 5, 3), np.uint8))


@pytest.fixture
def mit(tmp_path):
    for split, lines in MIT.items():
        (tmp_path / f'{split}.txt').write_text('\n'.join(lines) + '\n\n')
        write_images(tmp_path, lines)
    return tmp_path


@pytest.fixture
def ade(tmp_path):
    for split, lines in ADE.items():
        text = '\n'.join(lines)
        (tmp_path / f'sceneCategories_{split}.txt').write_text(text)
        names = [line.split()[0] for line in lines]
        write_images(tmp_path, [f'images/{split}/{name}.jpg' for name in names])
    return tmp_path


@pytest.fixture
def sun(tmp_path):
    folder = tmp_path / 'Partitions'
    folder.mkdir()
    for split, name in (('Training', 'a b'), ('Testing', 'c')):
        # Windows' line ends and byte-order mark.
        text = f'/a/abbey/{name}.jpg\n/c/cabin/outdoor/{name}.jpg\n\n'
        (folder / f'{split}_01.txt').write_text(
            text, encoding='utf-8-sig', newline='\r\n'
        )
        write_images(tmp_path, [f'SUN397{line}' for line in text.split('\n')[:2]])
    return tmp_path


@pytest.fixture
def warnings(monkeypatch):
    """What is warned of."""
    messages = []

    def record(message, logger, level):
        assert (logger, level) == ('current', logging.WARNING)
        messages.append(message)

    monkeypatch.setattr(scene_list, 'print_log', record)
    return messages


def build(kind, root, **kwargs):
    return DATASETS.build(dict(type=kind, data_root=str(root), **kwargs))


def files(dataset, root):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [
        (info['img_path'].removeprefix(f'{root}/'), info['gt_label']) for info in infos
    ]


def test_mit_reads_names_with_spaces(mit, warnings):
    train = build('MITIndoor67', mit)
    assert train.CLASSES == ('attic', 'bar', 'gameroom')
    assert files(train, mit) == list(zip(MIT['train'], (2, 1, 0), strict=True))
    val = build('MITIndoor67', mit, split='val')
    assert val.CLASSES == train.CLASSES
    assert files(val, mit) == list(zip(MIT['val'], (2, 1), strict=True))
    assert (train.test_mode, val.test_mode) == (False, True)
    assert warnings == [f'the lists of {str(mit)!r} name 3 classes of 67'] * 2


@pytest.mark.parametrize('renamed', [False, True])
def test_ade_reads_folders_by_both_names(ade, renamed):
    if renamed:
        for old, new in (('training', 'train'), ('validation', 'val')):
            (ade / 'images' / old).rename(ade / 'images' / new)
            (ade / f'sceneCategories_{old}.txt').rename(
                ade / f'sceneCategories_{new}.txt'
            )
    folders = ('train', 'val') if renamed else ('training', 'validation')
    assert build('ADE20KScenes', ade).CLASSES == ('abbey', 'airport_terminal')
    assert files(build('ADE20KScenes', ade), ade) == [
        (f'images/{folders[0]}/ADE_train_00000001.jpg', 1),
        (f'images/{folders[0]}/ADE_train_00000002.jpg', 0),
    ]
    assert files(build('ADE20KScenes', ade, split='val'), ade) == [
        (f'images/{folders[1]}/ADE_val_00000001.jpg', 0)
    ]


def test_missing_images_are_counted_and_the_first_named(mit):
    lines = [f'train/bar/{i}.jpg' for i in range(10)]
    (mit / 'train.txt').write_text('\n'.join(lines))
    with pytest.raises(
        FileNotFoundError,
        match=r'^9 of the 10 images of .*train\.txt are not in .*: train/bar/0\.jpg, '
        r'train/bar/1\.jpg, train/bar/3\.jpg, \.\.\.$',
    ):
        build('MITIndoor67', mit)


def test_a_wrong_layout_names_the_folder_expected(ade):
    (ade / 'images').rename(ade / 'pictures')
    with pytest.raises(
        FileNotFoundError, match=r'expected the folder .*images/training$'
    ):
        build('ADE20KScenes', ade)


def test_a_missing_list_is_named(ade, mit):
    (ade / 'sceneCategories_validation.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'no list file .*_validation\.txt'):
        build('ADE20KScenes', ade)
    (mit / 'train.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'no list file .*/train\.txt'):
        build('MITIndoor67', mit, split='val')


def test_a_class_that_training_lacks_is_warned_of(ade, warnings):
    with (ade / 'sceneCategories_validation.txt').open('a') as file:
        file.write('\nADE_val_00000002 volcano')
    write_images(ade, ['images/validation/ADE_val_00000002.jpg'])
    dataset = build('ADE20KScenes', ade, num_classes=3)
    assert dataset.CLASSES == ('abbey', 'airport_terminal', 'volcano')
    [message] = warnings
    assert '1 classes are not in' in message and message.endswith('volcano')


def test_labels_beyond_the_classes_are_an_error(mit):
    with pytest.raises(ValueError, match='name 3 classes, but num_classes=2'):
        build('MITIndoor67', mit, num_classes=2)
    with pytest.raises(ValueError, match=r"the 2 of metainfo\['classes'\]: attic$"):
        build('MITIndoor67', mit, metainfo=dict(classes=('bar', 'gameroom')))


@pytest.mark.parametrize('split', ['train', 'test'])
def test_sun397_is_that_of_mmpretrain(split, sun):
    ours = build('CheckedSUN397', sun, split=split)
    for path in (sun / 'Partitions').iterdir():
        path.write_text(path.read_text(encoding='utf-8-sig').strip())
    theirs = build('SUN397', sun, split=split)
    assert files(ours, sun) == files(theirs, sun)
    assert (ours.CLASSES, ours.test_mode) == (theirs.CLASSES, theirs.test_mode)


def test_sun397_is_checked_at_once(sun):
    path = sun / 'Partitions/Training_01.txt'
    with path.open('a') as file:
        file.write('/a/abbey/1.jpg\n/b/beach/2.jpg\n')
    with pytest.raises(
        FileNotFoundError,
        match=r'2 of the 4 images of .*Training_01\.txt .*: SUN397/a/abbey/1\.jpg, '
        r'SUN397/b/beach/2\.jpg$',
    ):
        build('CheckedSUN397', sun)
    path.write_text('/a/abbeys/1.jpg\n')
    with pytest.raises(
        ValueError, match=r"1 lines name none of the 397 scenes: '/a/abbeys/1\.jpg'"
    ):
        build('CheckedSUN397', sun)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'no list file .*Training_01\.txt'):
        build('CheckedSUN397', sun)


@pytest.mark.parametrize(
    ('kind', 'list_file', 'line'),
    [
        ('MITIndoor67', 'train.txt', 'gameroom.jpg'),
        ('ADE20KScenes', 'sceneCategories_training.txt', 'ADE_train_00000003'),
    ],
)
def test_a_bad_line_is_named(kind, list_file, line, mit, ade):
    with (mit / list_file).open('a') as file:
        file.write(f'\n{line}')
    with pytest.raises(ValueError, match=rf'{list_file}, line \d+: {line!r} is no'):
        build(kind, mit)


def test_an_empty_list_and_an_unknown_split_are_errors(mit):
    (mit / 'train.txt').write_text('')
    with pytest.raises(ValueError, match=r'train\.txt names no image'):
        build('MITIndoor67', mit)
    with pytest.raises(ValueError, match="'train' or 'val', got 'test'"):
        build('MITIndoor67', mit, split='test')
