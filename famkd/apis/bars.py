"""Methods side by side, as bars."""

import math
from typing import TYPE_CHECKING

from famkd.apis.plots import COLORS, new_figure
from famkd.apis.tables import number
from famkd.apis.titles import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_bars(rows: list[dict], metric: str) -> 'Figure':
    """Draws a bar for the last value of every student, and the teacher as a line.

    The student alone comes first, then the distilled ones by their values.

    Args:
        rows: Rows of the table: ``title``, ``role``, and ``metric`` with its ``std``
            (None for one run).
        metric: What is drawn; rows without it, or of a training that diverged (NaN,
            infinite), are left out.

    Returns:
        Figure: The picture; whiskers are standard deviations over seeds.

    Raises:
        ValueError: If no row is left.
    """
    rows = [row for row in rows if math.isfinite(row.get(metric, math.nan))]
    if not rows:
        raise ValueError(f'no training has a finite {metric} to draw')
    teachers = [row for row in rows if row['role'] == 'teacher']
    students = sorted(
        (row for row in rows if row['role'] != 'teacher'),
        key=lambda row: (row['role'] == 'distilled', row[metric]),
    )
    figure, axes = new_figure(1, 1, 0.8 + 0.36 * len(students))
    ax = axes[0, 0]
    colors = [COLORS[0 if row['role'] == 'distilled' else 5] for row in students]
    values = [row[metric] for row in students]
    deviations = [row[f'{metric} std'] for row in students]
    places = range(len(students))
    ax.barh(places, values, color=colors, xerr=[x or 0 for x in deviations])
    largest = max(row[metric] for row in rows)
    digits = 3 if largest <= 1 else 1
    for i, (value, deviation) in enumerate(zip(values, deviations, strict=True)):
        text = number(value, deviation, digits)
        ax.annotate(
            text,
            (value + (deviation or 0), i),
            (4, 0),
            textcoords='offset points',
            va='center',
            # over the teacher's line
            bbox=dict(facecolor='white', edgecolor='none', pad=1),
        )
    for row in teachers:
        label = f'{row["title"]}, {number(row[metric], digits=digits)}'
        ax.axvline(row[metric], color='grey', linestyle='--', label=label)
    if teachers:
        figure.legend(loc='outside upper left')
    ax.set_xlim(0, 1.15 * largest)
    ax.set_axisbelow(True)
    ax.set_yticks(places, [row['title'] for row in students])
    ax.invert_yaxis()
    ax.grid(False, axis='y')
    ax.set_xlabel(METRICS.get(metric, metric))
    return figure
