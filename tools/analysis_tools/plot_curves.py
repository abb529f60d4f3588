"""Plot accuracy and losses over the training, several runs in one picture.

    python tools/analysis_tools/plot_curves.py WORK_DIR... [--out curves.png ...]

One panel for every scalar, one colour for every experiment (runs that differ in the
seed only): their mean, and a band of one standard deviation. The teacher of the others
is a dashed line at its last metric. The student's own losses share a panel with those
of a student alone; a loss is the mean over every epoch.
"""

import argparse
import sys
from statistics import mean
from typing import TYPE_CHECKING

from famkd.apis.plots import (
    COLORS,
    add_out_argument,
    draw_seeds,
    label_training_axis,
    new_figure,
    out_files,
    save,
)
from famkd.apis.runs import Experiment, Run, common_unit, group_runs, read_runs
from famkd.apis.titles import METRICS, find_roles, find_titles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDENT = 'student.'  # MMRazor's prefix of the student's own losses


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Plot accuracy and losses over the training.'
    )
    parser.add_argument('work_dirs', nargs='+', metavar='WORK_DIR')
    parser.add_argument(
        '--key',
        dest='keys',
        action='append',
        metavar='KEY',
        help='scalar of the log to plot, again for every further one; default: the '
        'first metric of the validation and all losses',
    )
    add_out_argument(parser, 'curves.png', 'in the last WORK_DIR')
    return parser


def default_panels(run: Run) -> dict[str, str]:
    """The panels of a run where no key is given: title -> scalar of the log."""
    losses = sorted({key for line in run.train for key in line if 'loss' in key})
    if any(key.startswith(STUDENT) for key in losses):
        losses.remove('loss')  # the sum of the others
    panels = {key: key for key in run.metrics[:1]}
    own = [key for key in losses if not key.startswith('distill.')]
    for key in [*own, *losses]:
        panel = key.removeprefix(STUDENT)
        panels['loss (without distillation)' if panel == 'loss' else panel] = key
    return panels


def plot_curves(
    experiments: list[Experiment], keys: list[str] | None = None
) -> 'Figure':
    """Draws the picture.

    Args:
        experiments: What to compare, see :func:`group_runs`.
        keys: Scalars of the log; those of :func:`default_panels` if None.

    Returns:
        Figure: The picture.

    Raises:
        ValueError: If no run has a scalar, or epochs would meet iterations on one
            axis.
    """
    runs = [run for experiment in experiments for run in experiment.runs]
    unit = common_unit(runs)
    teacher, students = find_teacher(experiments)
    shown = [run for experiment in students for run in experiment.runs]
    wanted = {
        run.path: {k: k for k in keys} if keys else default_panels(run) for run in shown
    }
    panels = list(dict.fromkeys(name for panels in wanted.values() for name in panels))
    rows = -(-len(panels) // 2)
    figure, axes = new_figure(rows, min(len(panels), 2), 0.5 + 2.3 * rows)
    names = [experiment.name for experiment in experiments]
    titles = dict(zip(names, find_titles(experiments), strict=True))
    legend = {}
    for panel, ax in zip(panels, axes.flat, strict=False):
        for i, experiment in enumerate(students):
            curves = [
                run.curve(wanted[run.path].get(panel, '')) for run in experiment.runs
            ]
            color = COLORS[i % len(COLORS)]
            style = '-' if i < len(COLORS) else '--'
            line = draw_seeds(ax, curves, color=color, linestyle=style)
            if line is not None:
                legend[_label(experiment, titles[experiment.name])] = line
        if not ax.lines:
            known = dict.fromkeys(
                k for run in shown for k in [*run.metrics, *run.train[-1]]
            )
            raise ValueError(f'--key {panel}: in no log; there: {", ".join(known)}')
        if panel in teacher:
            legend['teacher'] = ax.axhline(
                teacher[panel], color='grey', linestyle='--', linewidth=1.2
            )
        ax.set_title(METRICS.get(panel, panel))
        label_training_axis(ax, unit)
    for ax in axes.flat[len(panels) :]:
        ax.axis('off')
    figure.legend(legend.values(), legend, loc='outside upper left', ncols=3)
    return figure


def find_teacher(
    experiments: list[Experiment],
) -> tuple[dict[str, float], list[Experiment]]:
    """The teacher's metrics, and the experiments that are drawn as curves.

    The teacher is the one experiment that trained the teacher of others; without it,
    its evaluation at the start of a distillation. Its own training, on a schedule of
    its own, is then not drawn.
    """
    roles = find_roles(experiments)
    if roles.count('teacher') == 1:
        runs = experiments[roles.index('teacher')].runs
        others = [e for e, r in zip(experiments, roles, strict=True) if r != 'teacher']
        curves = {key: [r.curve(key)[1] for r in runs] for key in runs[0].metrics}
        return {k: mean(c[-1] for c in v if c) for k, v in curves.items()}, others
    evaluated = [run.teacher for e in experiments for run in e.runs if run.teacher]
    return (evaluated[0] if evaluated else {}), experiments


def _label(experiment: Experiment, title: str) -> str:
    runs = len(experiment.runs)
    return title + (f' ({runs} runs)' if runs > 1 else '')


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    args = build_parser().parse_args(argv)
    try:
        figure = plot_curves(group_runs(read_runs(args.work_dirs)), args.keys)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    save(figure, out_files(args, args.work_dirs))


if __name__ == '__main__':
    main()
