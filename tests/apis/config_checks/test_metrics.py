"""Names of metrics are those that the metrics give."""

import pytest
import torch
from mmengine.registry import METRICS, DefaultScope
from mmpretrain.structures import DataSample

import famkd.registry  # noqa: F401
from famkd.apis.config_checks.components import Component
from famkd.apis.config_checks.metrics import metric_names


def names_of(scope, **config):
    """What is said of a metric, and the metric."""
    with DefaultScope.overwrite_default_scope(scope):
        return metric_names(Component('val_evaluator', config, METRICS)), METRICS.build(
            config
        )


@pytest.mark.parametrize(
    'config',
    [
        dict(type='Accuracy'),
        dict(type='Accuracy', topk=(1, 3)),
        dict(type='Accuracy', prefix='top'),
        dict(type='SingleLabelMetric'),
        dict(type='SingleLabelMetric', items=['recall']),
    ],
)
def test_metrics_of_classifiers(config):
    (prefix, names), metric = names_of('mmpretrain', **config)
    scores = torch.eye(4)
    samples = [
        DataSample().set_gt_label(i).set_pred_score(s) for i, s in enumerate(scores)
    ]
    metric.process({}, [sample.to_dict() for sample in samples])
    assert [*metric.evaluate(4)] == names
    assert all(name.startswith(prefix) for name in names)


def test_metrics_of_segmentors():
    pytest.importorskip('mmseg')
    (prefix, names), metric = names_of('mmseg', type='IoUMetric')
    metric.dataset_meta = dict(classes=['a', 'b'])
    areas = torch.ones(2)
    metric.results = [(areas, areas, areas, areas)]
    assert ([*metric.evaluate(1)], prefix) == (names, '')


def test_metrics_of_detectors(shapes_coco):
    pytest.importorskip('mmdet')
    (_, names), metric = names_of(
        'mmdet', type='CocoMetric', ann_file=str(shapes_coco / 'shapes.json')
    )
    metric.dataset_meta = dict(classes=('box', 'disc'))
    box = dict(bboxes=torch.tensor([[0.0, 0, 9, 9]]), labels=torch.tensor([0]))
    scores = dict(scores=torch.tensor([0.9]))
    metric.process(
        {},
        [
            dict(img_id=i, ori_shape=(64, 64), pred_instances=box | scores)
            for i in range(12)
        ],
    )
    assert [*metric.evaluate(12)] == names


@pytest.mark.parametrize(
    'config, prefix',
    [
        (dict(type='Accuracy', thrs=(0.1, 0.2)), 'accuracy/'),
        (dict(type='MultiLabelMetric'), 'multi-label/'),
    ],
)
def test_only_the_prefix_is_known(config, prefix):
    assert names_of('mmpretrain', **config)[0] == (prefix, None)
