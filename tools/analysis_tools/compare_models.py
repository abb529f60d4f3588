"""What networks cost and what they reach, side by side: teacher, student, ...

    python tools/analysis_tools/compare_models.py WORK_DIR_OR_CONFIG... \
        [--size H W] [--batch-size N] [--device cuda] [--out models.png]

Of the config of a distillation it is the student. Parameters, multiply-adds (which
many papers call FLOPs), memory and time are of the forward pass as far as the heads,
with random weights, taken in turns; the metric is that of the last validation in the
work dir.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import add_device_argument
from famkd.apis.images import add_size_argument, given_size
from famkd.apis.plots import COLORS, add_out_argument, new_figure, out_files, save
from famkd.apis.titles import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mmengine.config import Config

    from famkd.apis.costs import Cost


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='What networks cost and what they reach, side by side.'
    )
    parser.add_argument('networks', nargs='+', metavar='WORK_DIR_OR_CONFIG')
    add_size_argument(parser, 'of the first config')
    parser.add_argument('--batch-size', type=int, default=1, metavar='N')
    parser.add_argument(
        '--repeats', type=int, default=20, metavar='N', help='default: %(default)s'
    )
    add_device_argument(parser)
    add_out_argument(parser, 'models.png', 'in the last WORK_DIR')
    return parser


def read_network(path: str) -> tuple[str, 'Config', str, float | None]:
    """A network to compare.

    Args:
        path: A work dir or a config, a file or ``'package::path'``.

    Returns:
        tuple: Its name, its config, and name and value of its metric; '' and None of
        a config file.

    Raises:
        FileNotFoundError: If there is nothing there.
        ValueError: If it is a folder without a training.
    """
    from mmengine.config import Config

    from famkd.apis.paths import config_file
    from famkd.apis.runs import read_run, short_name

    if path.endswith('.py'):
        config = Config.fromfile(config_file(path))
        return short_name(Path(path).stem), config, '', None
    run = read_run(path)
    if not run.metrics:
        return run.name, run.config, '', None
    metric = run.metrics[0]
    return run.name, run.config, metric, run.curve(metric)[1][-1]


def to_rows(
    costs: dict[str, 'Cost'], metrics: dict[str, tuple[str, float | None]]
) -> list[list[str]]:
    """The table, with a header; metrics by label: (name, value)."""
    names = list(dict.fromkeys(name for name, _ in metrics.values() if name))
    rows = [['', 'parameters', 'multiply-adds', 'memory', 'time, ms', *names]]
    for label, cost in costs.items():
        name, value = metrics[label]
        fast, slow = (1000 * f(cost.times) for f in (min, max))
        rows.append(
            [
                label,
                f'{cost.parameters / 1e6:.2f} M',
                f'{cost.multiply_adds / 1e9:.3f} G',
                f'{cost.memory_mb:.1f} MB',
                f'{cost.milliseconds:.2f} ({fast:.2f} to {slow:.2f})',
                *(f'{value:.2f}' if name == x else '-' for x in names),
            ]
        )
    return rows


def plot_costs(
    costs: dict[str, 'Cost'], metrics: dict[str, tuple[str, float | None]]
) -> 'Figure':
    """Draws the metric over the time, or the times alone where there is no metric."""
    figure, axes = new_figure(1, 1, 3.5)
    ax = axes[0, 0]
    names = {name for name, _ in metrics.values() if name}
    for index, (label, cost) in enumerate(costs.items()):
        value = metrics[label][1] if len(names) == 1 else index
        if value is not None:
            ax.plot(cost.milliseconds, value, 'o', color=COLORS[index % len(COLORS)])
            ax.annotate(
                f' {label}', (cost.milliseconds, value), va='bottom', fontsize=9
            )
    ax.set_xlabel('median time of a forward pass (ms)')
    ax.margins(x=0.25, y=0.2)
    if len(names) == 1:
        [name] = names
        ax.set_ylabel(METRICS.get(name, name))
    else:
        ax.set_yticks([])
    return figure


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    for option in ('batch_size', 'repeats'):
        if getattr(args, option) < 1:
            parser.error(f'--{option.replace("_", "-")}: must be 1 or more')
    size = given_size(parser, args)

    from mmengine.registry import DefaultScope

    from famkd.apis.costs import measure_costs
    from famkd.apis.recipes.networks import image_size
    from famkd.apis.students import student_config
    from famkd.apis.tables import markdown_table
    from famkd.models.algorithms.networks import build_network

    networks, metrics = {}, {}
    try:
        for path in args.networks:
            name, config, metric, value = read_network(path)
            label = name if name not in networks else path
            with DefaultScope.overwrite_default_scope(config.get('default_scope')):
                networks[label] = build_network(student_config(config))
                shape = config.model.get('input_shape')
                size = size or (shape[-2:] if shape else image_size(config))
            metrics[label] = (metric, value)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    height, width = size
    costs = measure_costs(
        networks, (3, height, width), args.batch_size, args.repeats, args.device
    )
    print(f'{args.batch_size} x 3 x {height} x {width}, {args.device}')
    print(markdown_table(to_rows(costs, metrics)))
    work_dirs = [path for path in args.networks if Path(path).is_dir()]
    save(plot_costs(costs, metrics), out_files(args, work_dirs))


if __name__ == '__main__':
    main()
