"""Plot accuracy and losses over the training, several runs in one picture.

    python tools/analysis_tools/plot_curves.py WORK_DIR... [--out curves.png ...]

One panel for every scalar, one colour for every experiment (runs that differ in the
seed only). The student's own losses share a panel with those of a student alone; a
loss is the mean over every epoch.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from famkd.apis.plots import (
    COLORS,
    add_out_argument,
    draw,
    label_training_axis,
    new_figure,
    out_files,
    save,
)
from famkd.apis.runs import Experiment, Run, group_runs, read_runs

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
    add_out_argument(parser, 'curves.png')
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
    units = {run.unit: run.path for run in runs}
    if len(units) > 1:
        raise ValueError(
            f'{units["epoch"]} counts epochs and {units["iteration"]} iterations: '
            'plot them apart'
        )
    wanted = [{k: k for k in keys} if keys else default_panels(run) for run in runs]
    panels = list(dict.fromkeys(name for panels in wanted for name in panels))
    rows = -(-len(panels) // 2)
    figure, axes = new_figure(rows, min(len(panels), 2), 0.5 + 2.3 * rows)
    color = {
        run.path: COLORS[i % len(COLORS)]
        for i, experiment in enumerate(experiments)
        for run in experiment.runs
    }
    for panel, ax in zip(panels, axes.flat, strict=False):
        for run, names in zip(runs, wanted, strict=True):
            curve = run.curve(names.get(panel, ''))
            if curve[0]:
                draw(ax, curve, color=color[run.path])
        if not ax.lines:
            known = dict.fromkeys(
                k for run in runs for k in [*run.metrics, *run.train[-1]]
            )
            raise ValueError(f'--key {panel}: in no log; there: {", ".join(known)}')
        ax.set_title(f'{panel} (%)' if panel.startswith('accuracy/') else panel)
        label_training_axis(ax, runs[0].unit)
    for ax in axes.flat[len(panels) :]:
        ax.axis('off')
    labels = [_label(experiment) for experiment in experiments]
    lines = [
        ax.plot([], [], color=color[experiment.runs[0].path])[0]
        for experiment in experiments
    ]
    figure.legend(lines, labels, loc='outside upper left', ncols=2)
    return figure


def _label(experiment: Experiment) -> str:
    runs = len(experiment.runs)
    return experiment.name + (f' ({runs} runs)' if runs > 1 else '')


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    args = build_parser().parse_args(argv)
    try:
        figure = plot_curves(group_runs(read_runs(args.work_dirs)), args.keys)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    save(figure, out_files(args))


if __name__ == '__main__':
    main()
