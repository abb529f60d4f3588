"""Plot gamma1 and gamma2 of every stage over the training; print their last values.

    python tools/analysis_tools/plot_gamma.py WORK_DIR... [--out gamma.png ...]

gamma1 weighs the frequency branch, gamma2 the 1x1 convolution; stage 1 is the
shallowest. They come from GammaLogHook's lines in the training log. One row of panels
for every experiment (runs that differ in the seed only): mean, and a band of one
standard deviation. Under the last values stand those of Tables A.3 and A.4 of the
FAM-KD supplement.
"""

import argparse
import re
import sys
from typing import TYPE_CHECKING

from famkd.apis.plots import (
    add_out_argument,
    draw_seeds,
    label_training_axis,
    new_figure,
    out_files,
    save,
)
from famkd.apis.runs import Experiment, group_runs, note, read_runs
from famkd.apis.tables import markdown_table, number, read_published, spread
from famkd.apis.titles import find_titles
from famkd.names import type_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAMMA = re.compile(r'(gamma[12])_stage(\d+)')
START = 0.5


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Plot gamma1 and gamma2 of every stage over the training.'
    )
    parser.add_argument('work_dirs', nargs='+', metavar='WORK_DIR')
    add_out_argument(parser, 'gamma.png', 'in the last WORK_DIR')
    return parser


def with_gammas(experiments: list[Experiment]) -> list[Experiment]:
    """The experiments whose logs have gammas; the others are noted.

    Raises:
        ValueError: If none has.
    """
    kept = []
    for experiment in experiments:
        if stages(experiment):
            kept.append(experiment)
        else:
            note(f'{experiment.runs[0].path}: no gamma1_stage1 in its training log')
    if not kept:
        raise ValueError(
            'no gammas in these logs: ' + '; '.join(map(hint, experiments))
        )
    return kept


def hint(experiment: Experiment) -> str:
    """How a training like that of an experiment would log gammas."""
    run = experiment.runs[0]
    head = run.config.get('model', {}).get('distiller', {}).get('head', {})
    hooks = map(type_name, run.config.get('custom_hooks') or [])
    if not re.search('FAM|Frequency', type_name(head)):
        advice = 'it has no frequency attention, take a recipe with FAMHead'
    elif 'GammaLogHook' not in hooks:
        advice = "add dict(type='GammaLogHook') to its custom_hooks"
    else:
        advice = 'it ended before GammaLogHook logged'
    return f'{run.path}: {advice}'


def stages(experiment: Experiment) -> list[int]:
    """The stages whose gammas are logged, shallow to deep."""
    keys = {key for run in experiment.runs for line in run.train for key in line}
    return sorted({int(m[2]) for m in map(GAMMA.fullmatch, keys) if m})


def plot_gamma(experiments: list[Experiment]) -> 'Figure':
    """Draws the picture.

    Args:
        experiments: Experiments that have gammas, see :func:`with_gammas`.

    Returns:
        Figure: The picture.
    """
    from matplotlib import colormaps

    rows = len(experiments)
    figure, axes = new_figure(rows, 2, 0.4 + 2.8 * rows, sharey='row')
    titles = find_titles(experiments)
    for experiment, title, pair in zip(experiments, titles, axes, strict=True):
        numbers = stages(experiment)
        # Stages have an order, and so have these colours.
        steps = [0.85 * i / max(len(numbers) - 1, 1) for i in range(len(numbers))]
        shades = colormaps['viridis'](steps)
        for name, ax in zip(('gamma1', 'gamma2'), pair, strict=True):
            ax.axhline(START, color='grey', linestyle=':', linewidth=1, label='start')
            for stage, shade in zip(numbers, shades, strict=True):
                curves = [run.curve(f'{name}_stage{stage}') for run in experiment.runs]
                draw_seeds(ax, curves, color=shade, label=f'stage {stage}')
            branch = 'frequency branch' if name == 'gamma1' else '1x1 convolution'
            ax.set_title(f'{title}\n{name} ({branch})')
            label_training_axis(ax, experiment.runs[0].unit)
        pair[0].set_ylabel('weight of the branch')
        pair[1].legend(loc='center left', bbox_to_anchor=(1, 0.5))
    return figure


def last_values(experiments: list[Experiment]) -> str:
    """The last gammas of every experiment, and the published ones, as a table.

    Published ones are of the same pair where the names agree; the rows name the pair.
    """
    rows = [
        (f'{title}, {name}', row)
        for experiment, title in zip(experiments, find_titles(experiments), strict=True)
        for name, row in _last_rows(experiment).items()
    ]
    published = {}
    for (name, key), (value, source) in read_published().items():
        if match := GAMMA.fullmatch(key):
            label = f'{name}, {match[1]} ({source})'
            published.setdefault(label, {})[int(match[2])] = number(value)
    rows += published.items()
    numbers = sorted({stage for _, row in rows for stage in row})
    header = ['', *(f'stage {stage}' for stage in numbers)]
    cells = [[label, *(row.get(i, '-') for i in numbers)] for label, row in rows]
    return markdown_table([header, *cells])


def _last_rows(experiment: Experiment) -> dict[str, dict[int, str]]:
    """gamma1 and gamma2 -> stage -> last value, mean and deviation over seeds."""
    rows = {'gamma1': {}, 'gamma2': {}}
    for name, row in rows.items():
        for stage in stages(experiment):
            key = f'{name}_stage{stage}'
            curves = [run.curve(key)[1] for run in experiment.runs]
            if last := [curve[-1] for curve in curves if curve]:
                row[stage] = number(*spread(last))
    return rows


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    args = build_parser().parse_args(argv)
    try:
        experiments = with_gammas(group_runs(read_runs(args.work_dirs)))
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(last_values(experiments))
    save(plot_gamma(experiments), out_files(args, args.work_dirs))


if __name__ == '__main__':
    main()
