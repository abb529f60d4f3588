"""Options of test.py: predictions drawn, and averaged over flips."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny_detectors import network, shapes_options

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture
def test(tool, tiny_configs, tiny_runs, tmp_path):
    """Function (*options): the metrics of the tiny student."""

    def test(*options):
        words = [tiny_configs['student'], tiny_runs['famkd'] / 'epoch_2.pth']
        words += ['--work-dir', tmp_path / 'out', *options]
        return tool('test').main([str(word) for word in words])

    return test


@pytest.mark.parametrize('is_main', [True, False])
def test_one_process_writes_the_metrics(tool, tmp_path, monkeypatch, is_main):
    test, out = tool('test'), tmp_path / 'metrics.json'
    monkeypatch.setattr('mmengine.dist.is_main_process', lambda: is_main)
    for name in ('load_config', 'merge_args', 'check_data', 'set_thread_count'):
        monkeypatch.setattr(test, name, lambda *args: None)
    runner = SimpleNamespace(register_hook=lambda hook: None, test=lambda: {'a': 1.0})
    monkeypatch.setattr(test, 'build_runner', lambda *args: runner)
    test.main(['a.py', 'a.pth', '--out', str(out), '--out-item', 'metrics'])
    assert out.is_file() == is_main


def test_pictures_of_every_image(test, tmp_path):
    test('--show-dir', tmp_path / 'shown')
    assert len(list((tmp_path / 'shown').rglob('*.png'))) == 30


def test_flips_are_averaged(test, monkeypatch):
    from mmpretrain.models import AverageClsScoreTTA

    merge, views = AverageClsScoreTTA.merge_preds, []

    def counted(self, data_samples_list):
        views.extend(map(len, data_samples_list))
        return merge(self, data_samples_list)

    monkeypatch.setattr(AverageClsScoreTTA, 'merge_preds', counted)
    assert test('--tta').keys() == {'accuracy/top1'}
    assert views == [2] * 30  # each image and its mirror image


@pytest.fixture
def draw_flipped(tool, tmp_path):
    """Function (recipe, changes): metrics over flips, and pictures; random weights."""

    def draw_flipped(recipe, changes):
        from mmengine.config import Config
        from mmengine.registry import DefaultScope

        from famkd.models.algorithms.networks import build_network

        config = Config.fromfile(CONFIGS / recipe)
        # Visualizers are known by their names: one that draws into this folder.
        config.merge_from_dict({**changes, 'visualizer.name': str(tmp_path)})
        config.dump(tmp_path / 'config.py')
        with DefaultScope.overwrite_default_scope(config.default_scope):
            torch.manual_seed(0)
            weights = build_network(config.model).state_dict()
        torch.save(dict(state_dict=weights), tmp_path / 'weights.pth')
        words = [tmp_path / 'config.py', tmp_path / 'weights.pth', '--tta']
        words += ['--work-dir', tmp_path / 'out', '--show-dir', tmp_path / 'shown']
        metrics = tool('test').main([str(word) for word in words])
        return metrics, list((tmp_path / 'shown').rglob('*.png'))

    return draw_flipped


def test_pictures_of_a_detector_over_flips(draw_flipped, shapes_coco):
    pytest.importorskip('mmdet')
    recipe = 'bccd/faster-rcnn_r18-w8_fpn_1xb8-600i_bccd-small.py'
    changes = {
        **shapes_options(shapes_coco, 1, 1),
        **network(4),
        'test_dataloader.dataset.indices': 2,
    }
    metrics, pictures = draw_flipped(recipe, changes)
    assert 'coco/bbox_mAP' in metrics
    assert len(pictures) == 2


def test_pictures_of_a_segmentor_over_flips(draw_flipped, tmp_path):
    pytest.importorskip('mmseg')
    import cv2
    import numpy as np

    for kind in ('images', 'masks'):
        (tmp_path / kind).mkdir()
    # The left of each image is dark, and of class 0; the right is of class 1.
    mask = np.repeat([[0, 1]], 16, 1).repeat(24, 0).astype(np.uint8)
    for i in range(2):
        cv2.imwrite(str(tmp_path / f'images/{i}.jpg'), np.stack([mask * 200] * 3, 2))
        cv2.imwrite(str(tmp_path / f'masks/{i}.png'), mask)
    changes = {
        'test_dataloader.dataset.data_root': str(tmp_path),
        'test_dataloader.dataset.data_prefix': dict(
            img_path='images', seg_map_path='masks'
        ),
        'test_dataloader.dataset.pipeline.1.scale': (32, 24),
        'model.data_preprocessor.size': (24, 32),
    }
    recipe = 'camvid/pspnet_r18-w8_1xb4-800i_camvid-144x192.py'
    metrics, pictures = draw_flipped(recipe, changes)
    assert 0 <= metrics['mIoU'] <= 100
    assert len(pictures) == 2


@pytest.mark.parametrize('option', ['--show-dir', '--tta'])
def test_packages_of_which_nothing_is_known(option, capsys):
    from argparse import ArgumentParser

    from mmengine.config import Config

    from famkd.apis.testing import augment_test, draw_predictions

    cfg, parser = Config(dict(default_scope='mmagic')), ArgumentParser()
    with pytest.raises(SystemExit):
        if option == '--tta':
            augment_test(parser, cfg)
        else:
            draw_predictions(parser, cfg, 'shown')
    assert f"{option}: default_scope='mmagic'" in capsys.readouterr().err


def test_averages_of_classifiers_are_not_drawn(capsys):
    from argparse import ArgumentParser

    from mmengine.config import Config

    from famkd.apis.testing import augment_test, draw_predictions

    cfg, parser = Config(dict(default_scope='mmpretrain')), ArgumentParser()
    draw_predictions(parser, cfg, 'shown')
    with pytest.raises(SystemExit):
        augment_test(parser, cfg)
    assert 'leave out --show-dir' in capsys.readouterr().err


def test_the_truth_is_of_the_image_as_it_is():
    from mmengine.config import Config

    from famkd.apis.testing import augment_test

    steps = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]
    loader = dict(dataset=dict(pipeline=steps))
    cfg = Config(dict(default_scope='mmseg', model={}, test_dataloader=loader))
    augment_test(None, cfg)
    flips, _ = cfg.test_dataloader.dataset.pipeline[-1].transforms
    # Of several views, mmseg takes the masks of the first.
    assert [flip.prob for flip in flips] == [0, 1]
