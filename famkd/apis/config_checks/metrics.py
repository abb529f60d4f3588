"""Whether the metrics that a training waits for are those that its evaluator gives."""

from collections.abc import Iterator, Sequence

from famkd.apis.config_checks.components import Component
from famkd.names import suggestion

COCO = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
IOU = {
    'mIoU': ('mIoU', 'mAcc'),
    'mDice': ('mDice', 'mAcc'),
    'mFscore': ('mFscore', 'mPrecision', 'mRecall'),
}


def metric_problems(found: list[Component]) -> Iterator[str]:
    """Metrics in ``save_best`` and ``monitor`` which no validation will give.

    Args:
        found: All components of a config.
    """
    metrics = [x for x in found if x.key.startswith('val_evaluator')]
    given = [metric_names(metric) for metric in metrics if metric.kind is not None]
    known = [name for _, names in given for name in names or ()]
    # Of other metrics, only how their names begin.
    prefixes = tuple(prefix for prefix, names in given if names is None)
    if not given or '' in prefixes:
        return
    for component in found:
        for option in ('save_best', 'monitor'):
            names = _several(component.config.get(option) or [])
            for name in [name for name in names if isinstance(name, str)]:
                if name not in ('auto', *known) and not name.startswith(prefixes):
                    everything = [*known, *(f'{prefix}...' for prefix in prefixes)]
                    yield (
                        f'{component.key}.{option}={name!r}: val_evaluator gives no '
                        f'such metric; {suggestion(name, everything)}'
                    )


def metric_names(metric: Component) -> tuple[str, list[str] | None]:
    """What the names of a metric begin with, and the names where they are known.

    Args:
        metric: A component of an evaluator.

    Returns:
        tuple: The prefix, such as ``'accuracy/'`` (empty if there is none), and the
        names with it, such as ``['accuracy/top1']``; None where only the metric itself
        knows them.
    """
    prefix = metric.config.get('prefix') or getattr(metric.kind, 'default_prefix', None)
    prefix = f'{prefix}/' if prefix else ''
    names = _names(metric.kind.__name__, metric.config)
    return prefix, None if names is None else [prefix + name for name in names]


def _names(kind: str, options: dict) -> list[str] | None:
    """Those of the metrics that most trainings have, unless options change them."""
    if kind == 'Accuracy' and 'thrs' not in options:
        return [f'top{k}' for k in _several(options.get('topk', 1))]
    if kind == 'SingleLabelMetric' and not {'thrs', 'average'} & options.keys():
        return [*options.get('items', ('precision', 'recall', 'f1-score'))]
    if kind == 'CocoMetric' and not options.get('classwise'):
        kinds = _several(options.get('metric', 'bbox'))
        if {'bbox', 'segm'}.issuperset(kinds):
            items = options.get('metric_items') or COCO
            return [f'{kind}_{item}' for kind in kinds for item in items]
    if kind == 'IoUMetric':
        kinds = _several(options.get('iou_metrics', 'mIoU'))
        return ['aAcc', *(name for kind in kinds for name in IOU.get(kind, ()))]
    return None


def _several(value: object) -> Sequence:
    return value if isinstance(value, (list, tuple)) else [value]
