"""Evaluation of a detector under corruptions of its images (COCO-C)."""

import copy
from collections.abc import Sequence
from statistics import mean

from mmengine.runner import Runner

from famkd.apis.tables import markdown_table, number
from famkd.apis.testing import inner_dataset
from famkd.datasets.corrupt import SEVERITIES, Corrupt
from famkd.names import type_name

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

    Raises:
        ValueError: As :func:`corrupted_loaders`; and if nothing is found in the clean
            images.
    """
    config = runner.cfg
    loaders = corrupted_loaders(config.test_dataloader, corruptions, severities)
    results = {CLEAN: runner.test()}
    if not results[CLEAN]:
        raise ValueError(
            'the model finds nothing in the clean images, so there are no metrics to '
            'compare with; give a checkpoint that was trained longer'
        )
    for (corruption, severity), loader in loaders.items():
        runner.logger.info(f'{corruption}, severity {severity}')
        runner._test_loop = config.test_cfg
        runner._test_dataloader = loader
        runner._test_evaluator = config.test_evaluator
        results[corruption, severity] = runner.test()
    return results


def corrupted_loaders(
    loader: dict, corruptions: Sequence[str], severities: Sequence[int]
) -> dict[tuple[str, int], dict]:
    """Configs of data loaders of corrupted images.

    Args:
        loader: ``test_dataloader``.
        corruptions: Names of corruptions.
        severities: Their severities.

    Returns:
        dict: (corruption, severity) -> config.

    Raises:
        ImportError: If ``imagecorruptions`` is not installed.
        ValueError: If there is no such corruption or severity, or the images are not
            loaded from files.
    """
    loaders = {}
    for corruption in corruptions:
        for severity in severities:
            Corrupt(corruption, severity)  # says what is wrong
            changed = loaders[corruption, severity] = copy.deepcopy(loader)
            dataset = inner_dataset(changed['dataset'])
            dataset['pipeline'] = corrupted_pipeline(
                dataset.get('pipeline') or [{}], corruption, severity
            )
    return loaders


def corrupted_pipeline(
    pipeline: Sequence[dict], corruption: str, severity: int
) -> list[dict]:
    """A pipeline that corrupts each image right after it is loaded.

    Raises:
        ValueError: If it does not begin with loading an image from a file.
    """
    first, *others = pipeline
    if not (name := type_name(first)).endswith('LoadImageFromFile'):
        raise ValueError(
            f'test_dataloader.dataset.pipeline begins with {name!r}; images are '
            'corrupted after LoadImageFromFile, which has to come first'
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
        unless the metric is 0 on clean images, or -1 (there is nothing to find). Where
        the model finds nothing, there are no metrics: they count as 0.

    Source: https://arxiv.org/abs/1907.07484.
    """
    clean = results[CLEAN]
    summary = dict(clean)
    for name, value in clean.items():
        corrupted = [m.get(name, 0.0) for key, m in results.items() if key != CLEAN]
        summary[f'mPC/{name}'] = mean(corrupted)
        if value > 0:
            summary[f'rPC/{name}'] = summary[f'mPC/{name}'] / value
    return summary


def report(results: dict[tuple[str, int], Metrics], summary: Metrics) -> str:
    """Two Markdown tables: every corruption of the main metric, and all metrics.

    The main metric is the first mAP, before which an evaluator may put those of single
    classes, or else the first of all.

    Args:
        results: (corruption, severity) -> metrics.
        summary: What :func:`summarize` makes of them.

    Returns:
        str: The first table has a row per corruption and a column per severity, the
        second clean, mPC and rPC of every metric.
    """
    metrics = list(results[CLEAN])
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
        values = [results[name, s].get(metric, 0.0) for s in severities]
        rows.append([name, *(number(x, digits=3) for x in (*values, mean(values)))])
    return markdown_table(rows)
