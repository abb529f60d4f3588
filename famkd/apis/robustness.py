"""Evaluation of a detector under corruptions of its images (COCO-C)."""

import copy
from collections.abc import Sequence
from statistics import mean

from mmengine.runner import Runner

from famkd.apis.tables import markdown_table, number
from famkd.datasets.corrupt import SEVERITIES

Metrics = dict[str, float]
CLEAN = ('clean', 0)


def evaluate_corrupted(
    runner: Runner, corruptions: Sequence[str], severities: Sequence[int] = SEVERITIES
) -> dict[tuple[str, int], Metrics]:
    """Tests the model of a runner on clean images and on corrupted ones.

    Args:
        runner: Runner of the test; its checkpoint is loaded once.
        corruptions: Names of corruptions, see :class:`famkd.datasets.Corrupt`.
        severities: Their severities. Defaults to all, 1 to 5.

    Returns:
        dict: (corruption, severity) -> metrics; ``('clean', 0)`` first.
    """
    results = {CLEAN: runner.test()}
    config = runner.cfg
    for corruption in corruptions:
        for severity in severities:
            loader = copy.deepcopy(config.test_dataloader)
            loader.dataset.pipeline = corrupted_pipeline(
                loader.dataset.pipeline, corruption, severity
            )
            runner._test_loop = config.test_cfg
            runner._test_dataloader = loader
            runner._test_evaluator = config.test_evaluator
            results[corruption, severity] = runner.test()
    return results


def corrupted_pipeline(
    pipeline: Sequence[dict], corruption: str, severity: int
) -> list[dict]:
    """A pipeline that corrupts each image right after it is loaded.

    Raises:
        ValueError: If it does not begin with loading an image from a file.
    """
    first, *others = pipeline
    if not first['type'].endswith('LoadImageFromFile'):
        raise ValueError(
            f'test_dataloader.dataset.pipeline begins with {first["type"]!r}; images '
            'are corrupted after LoadImageFromFile, which has to come first'
        )
    # found whatever the scope of the config is
    change = dict(type='mmengine.Corrupt', corruption=corruption, severity=severity)
    return [first, change, *others]


def summarize(results: dict[tuple[str, int], Metrics]) -> Metrics:
    """The metrics of clean images, and of all corrupted ones together.

    .. math::
        \\text{mPC} = \\text{mean over corruptions and severities}, \\quad
        \\text{rPC} = \\text{mPC} / \\text{clean}

    Args:
        results: (corruption, severity) -> metrics.

    Returns:
        dict: Every metric as it is on clean images, ``mPC/NAME``, and ``rPC/NAME``
        unless the metric is 0 on clean images.

    Source: https://arxiv.org/abs/1907.07484.
    """
    clean = results[CLEAN]
    summary = dict(clean)
    for name, value in clean.items():
        corrupted = [m[name] for key, m in results.items() if key != CLEAN]
        summary[f'mPC/{name}'] = mean(corrupted)
        if value:
            summary[f'rPC/{name}'] = summary[f'mPC/{name}'] / value
    return summary


def report(results: dict[tuple[str, int], Metrics]) -> str:
    """Two Markdown tables: every corruption of the main metric, and all metrics.

    The main metric is the first mAP, before which an evaluator may put those of single
    classes, or else the first of all.

    Args:
        results: (corruption, severity) -> metrics.

    Returns:
        str: The first table has a row per corruption and a column per severity, the
        second clean, mPC and rPC of every metric.
    """
    metrics, summary = list(results[CLEAN]), summarize(results)
    main = next((name for name in metrics if name.endswith('mAP')), metrics[0])
    rows = [['', 'clean', 'mPC', 'rPC']]
    for name in metrics:
        keys = name, f'mPC/{name}', f'rPC/{name}'
        rows.append([name, *(number(summary.get(key), digits=3) for key in keys)])
    return f'{main}\n{table(results, main)}\n\n{markdown_table(rows)}'


def table(results: dict[tuple[str, int], Metrics], metric: str) -> str:
    """A Markdown table of one metric: a row per corruption, a column per severity."""
    corruptions = list(dict.fromkeys(name for name, _ in results if name != CLEAN[0]))
    severities = sorted({severity for _, severity in results} - {0})
    rows = [['Corruption', *map(str, severities), 'mean']]
    for name in corruptions:
        values = [results[name, severity][metric] for severity in severities]
        rows.append([name, *(number(x, digits=3) for x in (*values, mean(values)))])
    return markdown_table(rows)
