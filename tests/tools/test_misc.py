"""Configs are printed and data sets drawn, by a file's or a package's name."""

import cv2
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
