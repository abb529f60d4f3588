"""Tables of results: their layout, their numbers, and published results."""

import csv
import re
from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path
from statistics import mean, stdev

SCHEDULE = re.compile(r'-\d+e(?=_)')  # in names of recipes
PUBLISHED = Path(__file__).with_name('published.csv')


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, padded to be read as it is; the first row is its header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    header, *others = rows
    return '\n'.join(
        f'| {" | ".join(map(str.ljust, row, widths))} |'
        for row in [header, ['-' * width for width in widths], *others]
    )


def spread(values: list[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation: None of one value, NaN with one diverged."""
    if len(values) == 1:
        return values[0], None
    # Python 3.11 raises where a value is NaN or infinite.
    return mean(values), stdev(values) if all(map(isfinite, values)) else nan


def mean_curve(
    curves: Sequence[tuple[Sequence, Sequence]],
) -> list[tuple[float, float, float | None]]:
    """Position, mean and standard deviation (None of one value) over several runs.

    Args:
        curves: Positions and values of every run. At a position that some runs have
            not come to, the others count.
    """
    values = {}
    for curve in curves:
        for position, value in zip(*curve, strict=True):
            values.setdefault(position, []).append(value)
    return [(position, *spread(values[position])) for position in sorted(values)]


def number(value: float | None, deviation: float | None = None, digits: int = 2) -> str:
    """A value for a table: ``70.51 ± 0.12``, or ``-`` where there is none."""
    if value is None:
        return '-'
    return f'{value:.{digits}f}' + (
        f' ± {deviation:.{digits}f}' if deviation is not None else ''
    )


def published_result(name: str, metric: str) -> tuple[float | None, str | None]:
    """A published number and its source; (None, None) where there is none.

    Args:
        name: Name of an experiment. Beside a shorter schedule
            (``resnet20-24e_cifar100``) stands what is published for the long one, and
            its source says so.
        metric: A metric, or a gamma.
    """
    published = read_published()
    if (name, metric) in published:
        return published[name, metric]
    value, source = published.get((SCHEDULE.sub('', name), metric), (None, None))
    return value, source and f'{source}; trained longer, as published'


def read_published() -> dict[tuple[str, str], tuple[float, str]]:
    """Published results, from published.csv.

    Returns:
        dict: (name, metric) -> (value, source), where the name is that of the config
        without GPUs and batch size.
    """
    with open(PUBLISHED, newline='', encoding='utf-8') as file:
        return {
            (row['name'], row['metric']): (float(row['value']), row['source'])
            for row in csv.DictReader(file)
        }
