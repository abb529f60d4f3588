import logging
from types import SimpleNamespace

import pytest
from mmengine.config import ConfigDict

from famkd.apis.robustness import (
    CLEAN,
    corrupted_loaders,
    corrupted_pipeline,
    evaluate_corrupted,
    report,
    summarize,
    table,
)

RESULTS = {
    CLEAN: {'coco/bbox_mAP': 0.4, 'coco/bbox_mAP_s': 0.0},
    ('fog', 1): {'coco/bbox_mAP': 0.3, 'coco/bbox_mAP_s': 0.0},
    ('fog', 5): {'coco/bbox_mAP': 0.1, 'coco/bbox_mAP_s': 0.0},
    ('snow', 1): {'coco/bbox_mAP': 0.2, 'coco/bbox_mAP_s': 0.0},
    ('snow', 5): {'coco/bbox_mAP': 0.0, 'coco/bbox_mAP_s': 0.0},
}


def test_mpc_is_the_mean_and_rpc_its_share_of_clean():
    summary = summarize(RESULTS)
    assert summary['coco/bbox_mAP'] == 0.4
    assert summary['mPC/coco/bbox_mAP'] == pytest.approx(0.15)
    assert summary['rPC/coco/bbox_mAP'] == pytest.approx(0.375)
    assert 'rPC/coco/bbox_mAP_s' not in summary


def test_where_nothing_is_found_the_metric_is_zero():
    results = {
        CLEAN: {'mAP': 0.4, 'mAP_l': -1.0},
        ('fog', 1): {'mAP': 0.2, 'mAP_l': -1},
    }
    results['fog', 5] = {}
    summary = summarize(results)
    assert summary['mPC/mAP'] == pytest.approx(0.1)
    assert 'rPC/mAP_l' not in summary
    assert '| fog        | 0.200 | 0.000 | 0.100 |' in report(results, summary)


def test_table():
    assert table(RESULTS, 'coco/bbox_mAP').splitlines() == [
        '| Corruption | 1     | 5     | mean  |',
        '| ---------- | ----- | ----- | ----- |',
        '| fog        | 0.300 | 0.100 | 0.200 |',
        '| snow       | 0.200 | 0.000 | 0.100 |',
    ]


def test_the_report_has_every_metric_and_corruptions_of_the_map():
    results = {key: dict(first=0.5, **value) for key, value in RESULTS.items()}
    assert report(results, summarize(results)).splitlines() == [
        'coco/bbox_mAP',
        *table(RESULTS, 'coco/bbox_mAP').splitlines(),
        '',
        '|                 | clean | mPC   | rPC   |',
        '| --------------- | ----- | ----- | ----- |',
        '| first           | 0.500 | 0.500 | 1.000 |',
        '| coco/bbox_mAP   | 0.400 | 0.150 | 0.375 |',
        '| coco/bbox_mAP_s | 0.000 | 0.000 | -     |',
    ]
    results = {key: dict(first=0.5) for key in RESULTS}
    assert report(results, summarize(results)).startswith('first\n')


def test_images_are_corrupted_right_after_loading():
    pipeline = [dict(type='mmdet.LoadImageFromFile'), dict(type='Resize')]
    types = [step['type'] for step in corrupted_pipeline(pipeline, 'fog', 2)]
    assert types == ['mmdet.LoadImageFromFile', 'mmengine.Corrupt', 'Resize']


def test_a_pipeline_that_loads_no_file_is_an_error():
    with pytest.raises(ValueError, match="begins with 'Resize'"):
        corrupted_pipeline([dict(type='Resize')], 'fog', 2)
    loader = dict(dataset=dict(type='Digits'))
    with pytest.raises(ValueError, match="pipeline begins with ''"):
        corrupted_loaders(loader, ['fog'], [2])


@pytest.fixture
def runner():
    """Function (*metrics): runner of which each test gives the next ones."""
    pytest.importorskip('imagecorruptions')
    pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize')]
    dataset = dict(type='RepeatDataset', dataset=dict(pipeline=pipeline))
    config = ConfigDict(
        test_dataloader=dict(dataset=dataset), test_cfg={}, test_evaluator={}
    )

    def make(*metrics):
        test = iter(metrics).__next__
        return SimpleNamespace(cfg=config, test=test, logger=logging.getLogger('test'))

    return make


def test_each_test_has_its_corruption_and_says_so(runner, caplog):
    caplog.set_level(logging.INFO)
    runner = runner(dict(mAP=0.4), dict(mAP=0.3), {})
    results = evaluate_corrupted(runner, ['fog', 'fog'], [2, 5])
    assert results == {CLEAN: dict(mAP=0.4), ('fog', 2): dict(mAP=0.3), ('fog', 5): {}}
    _, change, _ = runner._test_dataloader.dataset.dataset.pipeline
    assert (change.corruption, change.severity) == ('fog', 5)
    assert caplog.messages == ['fog, severity 2', 'fog, severity 5']


def test_a_misspelt_corruption_is_an_error_before_the_first_test(runner):
    with pytest.raises(ValueError, match="corruption='fogg' of Corrupt is unknown"):
        evaluate_corrupted(runner(), ['fog', 'fogg'], [1])


def test_a_model_that_finds_nothing_is_not_tested_further(runner):
    with pytest.raises(ValueError, match='finds nothing in the clean images'):
        evaluate_corrupted(runner({}), ['fog'], [1])
