"""Configs are printed and data sets drawn, by a file's or a package's name."""

import cv2
import numpy as np
import pytest
from tool_fixtures import load_tool

FAMKD = 'famkd::famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py'


def test_config_is_printed_with_what_it_inherits(capsys):
    main = load_tool('misc/print_config').main
    main([FAMKD, '--cfg-options', 'train_cfg.max_epochs=7'])
    output = capsys.readouterr().out
    assert 'ReviewDistiller' in output
    assert 'max_epochs=7' in output
    with pytest.raises(SystemExit):
        main(['famkd::famkd/nowhere.py'])
    assert "no installed package has 'famkd::famkd/nowhere.py'" in (
        capsys.readouterr().err
    )


def test_training_images_are_drawn(tiny_configs, tmp_path, capsys):
    main = load_tool('misc/browse_dataset').main
    main([str(tiny_configs['student']), '--number', '2', '--out', str(tmp_path)])
    files = sorted(tmp_path.glob('*.png'))
    assert [file.name for file in files] == ['00000.png', '00001.png']
    assert cv2.imread(str(files[0])).std() > 0
    assert 'wrote 2 images' in capsys.readouterr().out


def test_missing_data_are_named(tiny_configs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        load_tool('misc/browse_dataset').main(
            ['famkd::cifar10/resnet8_1xb64_cifar10.py']
        )
    assert "there is no 'data/cifar10_jpeg'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_boxes_are_drawn(shapes_coco, tmp_path):
    pytest.importorskip('mmdet')
    main = load_tool('misc/browse_dataset').main
    options = [
        f'train_dataloader.dataset.data_root={shapes_coco}/',
        f'train_dataloader.dataset.ann_file={shapes_coco}/shapes.json',
        'train_dataloader.dataset.data_prefix.img=images/',
        'train_dataloader.dataset.metainfo.classes=(box,disc)',
    ]
    words = ['famkd::bccd/faster-rcnn_r18_fpn_1xb8-2k_bccd.py', '--number', '1']
    main([*words, '--out', str(tmp_path), '--cfg-options', *options])
    assert cv2.imread(str(tmp_path / '00000.png')).std() > 0


def test_colours_of_files_where_the_preprocessor_is_the_students(tmp_path):
    folder = tmp_path / 'train'
    (folder / 'red').mkdir(parents=True)
    red = np.full((64, 64, 3), (0, 0, 250), np.uint8)
    cv2.imwrite(str(folder / 'red/0.png'), red)
    config = tmp_path / 'config.py'
    config.write_text(
        'train_dataloader = dict(batch_size=1, num_workers=0, dataset=dict('
        f"type='CustomDataset', data_root={str(folder)!r}, "
        "pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')]))\n"
        "visualizer = dict(type='UniversalVisualizer')\n"
        'data_preprocessor = None\n'
    )
    main = load_tool('misc/browse_dataset').main
    main([str(config), '--out', str(tmp_path / 'drawn')])
    drawn = cv2.imread(str(tmp_path / 'drawn/00000.png'))
    assert np.array_equal(drawn[-1, -1], [0, 0, 250])
