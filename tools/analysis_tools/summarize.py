"""Table of teachers, students alone and distilled students, from their work dirs.

    python tools/analysis_tools/summarize.py WORK_DIR... [--out results.md ...]
    python tools/analysis_tools/summarize.py WORK_DIR... --out methods.png
    python tools/analysis_tools/summarize.py WORK_DIR... --html report.html

Work dirs of the same config with other seeds make one row: mean ± standard deviation
(n - 1). ``last`` is the last validation, ``best`` the best one of each run; higher
counts as better. The time per epoch is that of the training steps, data loading
included, validation and checkpoints not. Under the table stands the command of every
run, as far as tools/train.py has kept it. Published numbers: published.csv.
"""

import argparse
import csv
import json
import sys
from math import isfinite
from pathlib import Path
from statistics import mean, median

from famkd.apis.bars import plot_bars
from famkd.apis.plots import PICTURES, save
from famkd.apis.report import write_report
from famkd.apis.runs import Experiment, Run, group_runs, note, read_runs
from famkd.apis.tables import markdown_table, number, published_result, spread
from famkd.apis.titles import ROLES, find_roles, find_titles

MEAN_CLASS_ACCURACY = 'single-label/recall'


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Table of teachers, students alone and distilled students.'
    )
    parser.add_argument('work_dirs', nargs='+', metavar='WORK_DIR')
    parser.add_argument(
        '--metric',
        dest='metrics',
        action='append',
        metavar='KEY',
        help='metric of the validation log, again for every further one; default: '
        'the first two of each run (accuracy/top1 and accuracy/top5, say)',
    )
    parser.add_argument(
        '--out',
        action='append',
        default=[],
        metavar='FILE',
        help='write the table to FILE too: .md, .csv or .json, by its ending; or the '
        'first metric as bars: .png, .svg or .pdf; again for every further file',
    )
    parser.add_argument(
        '--html',
        type=Path,
        metavar='FILE',
        help='write a page with the table, curves, pictures and differences',
    )
    return parser


def summarize(runs: list[Run], metrics: list[str] | None = None) -> list[dict]:
    """One row for every experiment: teachers, students alone, distilled students.

    Args:
        runs: The runs, see :func:`read_runs`.
        metrics: Metrics to show, where a run has them; the first two of every run
            if None.

    Returns:
        list[dict]: Rows with the keys ``experiment``, ``title`` (its name for
        readers), ``role``, ``runs``, ``commands`` (that started them; empty if
        unknown), ``unit`` ('epoch' or 'iteration'), ``length``, ``planned``,
        ``seconds`` (per epoch or iteration; None if unknown) and, for every metric M,
        ``M`` (the last), ``M best``, ``M std``, ``M best std`` (None for one run), ``M
        published`` and ``M source`` (None if there is none).

    Raises:
        ValueError: If no run has one of ``metrics``.
    """
    known = list(dict.fromkeys(name for run in runs for name in run.metrics))
    unknown = [name for name in metrics or [] if name not in known]
    if unknown:
        raise ValueError(
            f'--metric {unknown[0]}: not in the validation log of '
            f'{", ".join(str(run.path) for run in runs)}; there: {", ".join(known)}'
        )
    experiments = group_runs(runs)
    roles, titles = find_roles(experiments), find_titles(experiments)
    rows = []
    for experiment, role, title in zip(experiments, roles, titles, strict=True):
        group = _longest(experiment)
        times = [seconds(run) for run in group]
        row = dict(
            experiment=experiment.name,
            title=title,
            role=role,
            runs=len(group),
            commands=[run.command for run in group if run.command],
            unit=group[0].unit,
            length=group[0].length,
            planned=group[0].planned,
            seconds=None if None in times else mean(times),
        )
        for metric in metrics or default_metrics(group[0]):
            curves = [run.curve(metric)[1] for run in group]
            if not all(curves):
                continue
            value, source = published_result(experiment.name, metric)
            row[metric], row[f'{metric} std'] = spread([c[-1] for c in curves])
            row[f'{metric} best'], row[f'{metric} best std'] = spread(
                [max(filter(isfinite, c), default=c[-1]) for c in curves]
            )
            row[f'{metric} published'], row[f'{metric} source'] = value, source
        rows.append(row)
    return sorted(rows, key=lambda row: ROLES.index(row['role']))


def default_metrics(run: Run) -> list[str]:
    """The first two metrics of a run, and its mean class accuracy if it has one."""
    others = [name for name in run.metrics[2:] if name == MEAN_CLASS_ACCURACY]
    return run.metrics[:2] + others


def seconds(run: Run) -> float | None:
    """Median seconds of an iteration, times the iterations of an epoch if any.

    None if the log does not have the times, or is too short to tell the length of
    an epoch.
    """
    times = [line['time'] for line in run.train if 'time' in line]
    if not times or not run.by_epoch:
        return median(times) if times else None
    # The first log line of every epoch is that of the same iteration in it.
    first = {}
    for line in run.train:
        first.setdefault(line['at'], line['iter'])
    steps = [first[e + 1] - first[e] for e in first if e + 1 in first]
    return median(times) * median(steps) if steps else None


def to_markdown(rows: list[dict]) -> str:
    """The rows as a Markdown table that is aligned, to be read as it is."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    columns = [
        ['experiment', *(row['title'] for row in rows)],
        ['role', *(row['role'] if row['role'] != row['title'] else '' for row in rows)],
        ['runs', *(str(row['runs']) for row in rows)],
        ['length', *map(_length, rows)],
    ]
    sources = {}
    for metric in [key[:-5] for key in keys if key.endswith(' best')]:
        # Percent with two digits, fractions with three.
        values = [row.get(f'{metric} best', 0) for row in rows]
        largest = max(filter(isfinite, values), default=0)
        digits = 3 if largest <= 1 else 2
        for key, title in ((metric, 'last'), (f'{metric} best', 'best')):
            cells = [
                number(row.get(key), row.get(f'{key} std'), digits) for row in rows
            ]
            columns.append([f'{metric.rpartition("/")[2]} {title}', *cells])
        columns.append(['published'])
        for row in rows:
            cell = number(row.get(f'{metric} published'), digits=digits)
            if cell != '-':
                source = row[f'{metric} source']
                cell += f' [{sources.setdefault(source, len(sources) + 1)}]'
            columns[-1].append(cell)
    columns.append(['time', *map(_time, rows)])
    # A column that is empty in all rows says nothing.
    columns = [column for column in columns if set(column[1:]) - {'-', ''}]
    table = markdown_table(list(zip(*columns, strict=True)))
    notes = [f'[{i}] {source}  ' for source, i in sources.items()]
    return '\n'.join([table, *(['', *notes] if notes else []), *_commands(rows)])


def write(rows: list[dict], file: str) -> None:
    """Writes the rows to a .md, .csv or .json file, or as bars to a picture.

    Raises:
        OSError: If the file cannot be written.
        ValueError: If there is nothing to draw.
    """
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == '.md':
        path.write_text(to_markdown(rows) + '\n', encoding='utf-8')
    elif path.suffix in PICTURES:
        metrics = [key[:-5] for row in rows for key in row if key.endswith(' best')]
        if not metrics:
            raise ValueError(f'--out {file}: the runs have no metric to draw')
        save(plot_bars(rows, metrics[0]), [file])
        return
    elif path.suffix == '.json':
        path.write_text(json.dumps(rows, indent=2) + '\n', encoding='utf-8')
    else:
        keys = list(dict.fromkeys(key for row in rows for key in row))
        with path.open('w', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, keys)
            writer.writeheader()
            for row in rows:
                writer.writerow({**row, 'commands': '; '.join(row['commands'])})
    print(f'wrote {path}')


def _longest(experiment: Experiment) -> list[Run]:
    """The runs that can be averaged: those that went as far as the longest."""
    length = max(run.length for run in experiment.runs)
    for run in experiment.runs:
        if run.length < length:
            note(
                f'{run.path}: left out of the mean of {experiment.name}: '
                f'{run.length} {run.unit}s, others have {length}'
            )
    return [run for run in experiment.runs if run.length == length]


def _commands(rows: list[dict]) -> list[str]:
    """The command of every run, folded away; nothing where none is known."""
    lines = [
        line
        for row in rows
        if row['commands']
        for line in (f'# {row["title"]}', *row['commands'])
    ]
    if not lines:
        return []
    top = ['', '<details><summary>Commands</summary>', '', '```bash']
    return [*top, *lines, '```', '', '</details>']


def _length(row: dict) -> str:
    missing = f'/{row["planned"]}' if row['length'] < row['planned'] else ''
    return f'{row["length"]}{missing} {row["unit"]}s'


def _time(row: dict) -> str:
    if row['seconds'] is None:
        return '-'
    digits = '.3g' if row['seconds'] < 100 else '.0f'
    return f'{row["seconds"]:{digits}} s/{row["unit"]}'


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    for file in args.out:
        if Path(file).suffix not in {'.md', '.csv', '.json', *PICTURES}:
            parser.error(
                f'--out: {file} must end in .md, .csv or .json (tables), or in '
                f'{", ".join(PICTURES)} (bars)'
            )
    try:
        runs = read_runs(args.work_dirs)
        rows = summarize(runs, args.metrics)
        print(to_markdown(rows))
        for file in args.out:
            write(rows, file)
        if args.html:
            write_report(group_runs(runs), rows, args.html)
            print(f'wrote {args.html}')
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
