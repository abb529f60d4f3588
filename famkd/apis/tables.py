"""What tables of results need: numbers, columns, and published results."""

import csv
from pathlib import Path
from statistics import mean, stdev

PUBLISHED = Path(__file__).with_name('published.csv')


def align(columns: list[list[str]]) -> str:
    """A Markdown table of columns, each its title and its cells, padded."""
    padded = []
    for title, *cells in columns:
        width = max(map(len, (title, *cells)))
        padded.append([cell.ljust(width) for cell in (title, '-' * width, *cells)])
    lines = zip(*padded, strict=True)
    return '\n'.join(f'| {" | ".join(cells)} |' for cells in lines)


def spread(values: list[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (None of one value)."""
    return mean(values), stdev(values) if len(values) > 1 else None


def number(value: float | None, deviation: float | None = None, digits: int = 2) -> str:
    """A value for a table: ``70.51 ± 0.12``, or ``-`` where there is none."""
    if value is None:
        return '-'
    return f'{value:.{digits}f}' + (
        f' ± {deviation:.{digits}f}' if deviation is not None else ''
    )


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
