"""One page about some trainings: a file that needs no network and no server."""

import base64
import math
import re
from pathlib import Path

from famkd.apis.plots import COLORS
from famkd.apis.runs import Experiment, common_unit
from famkd.apis.tables import mean_curve, number
from famkd.apis.titles import find_titles

TEMPLATE = Path(__file__).with_name('report.html')
PICTURES = {'.png': 'image/png', '.svg': 'image/svg+xml', '.jpg': 'image/jpeg'}
MAX_PICTURE = 2_000_000  # bytes: a page of pictures is still to be opened
CONTEXT = [
    *('sys.platform', 'Python', 'PyTorch', 'TorchVision', 'MMEngine', 'GPU 0'),
    *('CUDA available', 'CUDA_HOME'),
]
# Parts of a config that say where and how something is logged.
UNINTERESTING = re.compile(
    r'work_dir|command|visualizer|vis_backends|log_level|log_processor|filename|env_cfg'
)


def write_report(experiments: list[Experiment], rows: list[dict], file: Path) -> None:
    """Writes the page.

    It has the table of results, curves of all metrics, losses and gammas (mean over
    the seeds, band of one standard deviation; each experiment can be switched off),
    the pictures that lie in the work dirs (filters, masks, heat maps, detections),
    the settings in which the experiments differ, and the machine and versions.

    Args:
        experiments: The experiments, see :func:`famkd.apis.runs.group_runs`.
        rows: The rows of summarize.py.
        file: The file to write.

    Raises:
        ValueError: If some count epochs and others iterations.
    """
    from jinja2 import Environment

    titles = find_titles(experiments)
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = template.from_string(TEMPLATE.read_text(encoding='utf-8')).render(
        table=table(rows),
        titles=titles,
        colors=COLORS,
        unit=common_unit([run for e in experiments for run in e.runs]),
        panels=panels(experiments),
        pictures=pictures(experiments, titles),
        differences=differences(experiments),
        contexts=[(t, context(e)) for t, e in zip(titles, experiments, strict=True)],
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding='utf-8')


def table(rows: list[dict]) -> list[list[str]]:
    """The rows as cells, with a header: the last and the best value of each metric."""
    metrics = list(
        dict.fromkeys(k[:-5] for row in rows for k in row if k.endswith(' best'))
    )
    header = ['', 'runs', *(f'{m}, {x}' for m in metrics for x in ('last', 'best'))]
    cells = [header]
    for row in rows:
        values = [
            _number(row.get(key), row.get(f'{key} std'))
            for metric in metrics
            for key in (metric, f'{metric} best')
        ]
        cells.append([row['title'], str(row['runs']), *values])
    return cells


def panels(experiments: list[Experiment]) -> list[dict]:
    """The curves: metrics, losses and gammas.

    Returns:
        list[dict]: Per panel its ``title``, and ``curves``, for each experiment a list
        of points [position, mean, standard deviation]; what is no finite
        number, as after a training has diverged, is left out.
    """
    runs = [run for experiment in experiments for run in experiment.runs]
    metrics = dict.fromkeys(key for run in runs for key in run.metrics)
    logged = dict.fromkeys(
        key
        for run in runs
        for line in run.train
        for key in line
        if 'loss' in key or key.startswith('gamma')
    )
    found = []
    for key in [*metrics, *sorted(logged)]:
        curves = []
        for experiment in experiments:
            points = mean_curve([run.curve(key) for run in experiment.runs])
            curves.append(
                [[at, m, std or 0] for at, m, std in points if math.isfinite(m)]
            )
        found.append(dict(title=key, curves=curves))
    return found


def pictures(experiments: list[Experiment], titles: list[str]) -> list[dict]:
    """The pictures in the work dirs, as data URLs; those of over 2 MB are left out."""
    found = []
    for experiment, title in zip(experiments, titles, strict=True):
        for run in experiment.runs:
            for file in sorted(run.path.iterdir()):
                kind = PICTURES.get(file.suffix)
                if kind and file.stat().st_size <= MAX_PICTURE:
                    data = base64.b64encode(file.read_bytes()).decode()
                    url = f'data:{kind};base64,{data}'
                    found.append(dict(title=f'{title}: {file.name}', url=url))
    return found


def differences(experiments: list[Experiment]) -> list[list[str]]:
    """The settings in which the first runs differ: key, then a value for each."""
    flat = [dict(flatten(e.runs[0].config.to_dict())) for e in experiments]
    keys = sorted({key for settings in flat for key in settings})
    rows = []
    for key in keys:
        values = [settings.get(key, '') for settings in flat]
        if len(set(values)) > 1 and not UNINTERESTING.match(key):
            rows.append([key, *values])
    return rows


def flatten(part: object, name: str = '') -> list[tuple[str, str]]:
    """A config as dotted keys and texts: ``[('optim_wrapper.type', 'SGD')]``."""
    if isinstance(part, dict):
        return [
            pair
            for key, value in part.items()
            for pair in flatten(value, f'{name}.{key}' if name else str(key))
        ]
    text = str(part)
    return [(name, text if len(text) <= 80 else f'{text[:77]}...')]


def context(experiment: Experiment) -> list[tuple[str, str]]:
    """Machine and versions, from the head of the newest log of the first run."""
    logs = sorted(experiment.runs[0].path.glob('*/*.log'))
    if not logs:
        return []
    with logs[-1].open(encoding='utf-8', errors='replace') as file:
        head = file.read(20_000)
    found = dict(re.findall(r'^    ([^:\n]+): (.*)$', head, re.MULTILINE))
    return [(key, found[key]) for key in CONTEXT if key in found]


def _number(value: float | None, deviation: float | None) -> str:
    if value is None:
        return ''
    return number(value, deviation, digits=3 if value <= 1 else 2)
