import pytest

from famkd.apis.robustness import CLEAN, corrupted_pipeline, report, summarize, table

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


def test_table():
    assert table(RESULTS, 'coco/bbox_mAP').splitlines() == [
        '| Corruption | 1     | 5     | mean  |',
        '| ---------- | ----- | ----- | ----- |',
        '| fog        | 0.300 | 0.100 | 0.200 |',
        '| snow       | 0.200 | 0.000 | 0.100 |',
    ]


def test_the_report_has_every_metric_and_corruptions_of_the_map():
    results = {key: dict(first=0.5, **value) for key, value in RESULTS.items()}
    assert report(results).splitlines() == [
        'coco/bbox_mAP',
        *table(RESULTS, 'coco/bbox_mAP').splitlines(),
        '',
        '|                 | clean | mPC   | rPC   |',
        '| --------------- | ----- | ----- | ----- |',
        '| first           | 0.500 | 0.500 | 1.000 |',
        '| coco/bbox_mAP   | 0.400 | 0.150 | 0.375 |',
        '| coco/bbox_mAP_s | 0.000 | 0.000 | -     |',
    ]
    assert report({key: dict(first=0.5) for key in RESULTS}).startswith('first\n')


def test_images_are_corrupted_right_after_loading():
    pipeline = [dict(type='mmdet.LoadImageFromFile'), dict(type='Resize')]
    types = [step['type'] for step in corrupted_pipeline(pipeline, 'fog', 2)]
    assert types == ['mmdet.LoadImageFromFile', 'mmengine.Corrupt', 'Resize']


def test_a_pipeline_that_loads_no_file_is_an_error():
    with pytest.raises(ValueError, match="begins with 'Resize'"):
        corrupted_pipeline([dict(type='Resize')], 'fog', 2)
