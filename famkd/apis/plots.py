"""One look for all plots, and how they are written."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.tables import mean_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy import ndarray

PICTURES = ['.png', '.svg', '.pdf']
WIDTH = 8.0  # inches: 800 px at README size
# Okabe and Ito's colours, which colour-blind readers tell apart.
COLORS = [
    '#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000',
]  # fmt: skip


def add_out_argument(
    parser: argparse.ArgumentParser, default: str, place: str = ''
) -> None:
    """Adds ``--out FILE``, to be repeated for several files.

    Args:
        parser: The parser.
        default: Name of the file without it.
        place: Where the help says that this file lies, see :func:`out_files`.
    """
    parser.add_argument(
        '--out',
        action='append',
        type=picture_file,
        metavar='FILE',
        help='picture to write, by its ending: .png, .svg, .pdf; again for every '
        f'further one; default: {default} {place}',
    )
    parser.set_defaults(out_default=default)


def picture_file(name: str) -> str:
    """The name of a picture, as argparse reads it.

    Raises:
        argparse.ArgumentTypeError: If it ends in no format that is written.
    """
    if Path(name).suffix not in PICTURES:
        raise argparse.ArgumentTypeError(f'{name} must end in {", ".join(PICTURES)}')
    return name


def out_files(args: argparse.Namespace, sources: Sequence[str] = ()) -> list[str]:
    """The files of ``--out``, or the default in the work folder.

    Args:
        args: The parsed arguments.
        sources: Work folders and checkpoints that the picture is of. The default lies
            with the last of them; in the current folder where there is none, or that
            one is a URL.
    """
    if args.out:
        return args.out
    folder = Path()
    if sources and '://' not in sources[-1]:
        last = Path(sources[-1])
        folder = last if last.is_dir() else last.parent
    return [str(folder / args.out_default)]


def new_figure(
    rows: int, columns: int, height: float, **options
) -> tuple['Figure', 'ndarray']:
    """A figure of README width with a grid of panels.

    Args:
        rows: Rows of panels.
        columns: Columns of panels.
        height: Height of the whole figure, in inches.
        **options: Further options of ``matplotlib.pyplot.subplots``.

    Returns:
        tuple: The figure, and its axes as an array of shape (rows, columns).
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    plt.rcParams.update(
        {
            'font.size': 10,
            'axes.titlesize': 10,
            'axes.spines.top': False,
            'axes.spines.right': False,
            'axes.grid': True,
            'axes.axisbelow': True,
            'grid.color': '#e0e0e0',
            'grid.linewidth': 0.6,
            'lines.linewidth': 1.6,
            'legend.frameon': False,
        }
    )
    return plt.subplots(
        rows,
        columns,
        figsize=(WIDTH, height),
        squeeze=False,
        layout='constrained',
        **options,
    )


def hide_axes(ax: 'Axes') -> None:
    """Leaves an image without ticks, grid and frame, but with its labels."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)


def draw_seeds(ax: 'Axes', curves: list[tuple[list, list]], **style) -> 'Line2D | None':
    """Draws the mean of several runs, and a band of one standard deviation around it.

    Args:
        ax: Where to draw.
        curves: Positions and values of every run. At a position that some runs have
            not come to, the others count.
        **style: Colour and line style.

    Returns:
        Line2D | None: The line of the mean; None if there is nothing to draw.
    """
    points = mean_curve(curves)
    if not points:
        return None
    positions, means, deviations = zip(*points, strict=True)
    marker = 'o' if len(positions) == 1 else None  # a line of one point is not seen
    (line,) = ax.plot(positions, means, marker=marker, **style)
    if any(deviations):
        low, high = (
            [m + sign * (d or 0) for m, d in zip(means, deviations, strict=True)]
            for sign in (-1, 1)
        )
        color = style.get('color')
        ax.fill_between(positions, low, high, color=color, alpha=0.18, linewidth=0)
    return line


def label_training_axis(ax: 'Axes', unit: str) -> None:
    """Makes the horizontal axis that of a training, in epochs or iterations."""
    ax.set_xlabel(unit)
    ax.set_xlim(left=0)
    ax.locator_params(axis='x', integer=True)


def save(figure: 'Figure', files: list[str]) -> None:
    """Writes a figure to every file, at twice README resolution."""
    for file in map(Path, files):
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=200)
        print(f'wrote {file}')
