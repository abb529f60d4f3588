"""Reading trainings from the work dirs that MMEngine leaves behind."""

import json
import re
import sys
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from statistics import mean

from famkd.names import type_name
from famkd.renamed import read_renamed
from famkd.runtime.literal_config import parse_config

# MMEngine logs means of these scalars, and of all others the latest value.
AVERAGED = re.compile(r'.*(loss|time|data_time|grad_norm).*')
SEED = re.compile(r'_seed_?\d+')
# Parts of a config that do not change what is learned.
IGNORED = {
    *('work_dir', 'randomness', 'resume', 'launcher', 'default_hooks', 'command'),
    *('visualizer', 'vis_backends', 'log_level', 'log_processor'),
    # Variables of famkd's bases: what counts of them is in `model` and `custom_hooks`.
    *('pair', 'stages', 'stages_before_relu', 'maps', 'warmup'),
}
TEACHER = 'teacher/'  # EvalTeacherHook's prefix
# Hooks that watch, and the one of --resume.
IGNORED_HOOKS = {'EvalTeacherHook', 'GammaLogHook', 'OldCheckpointHook'}


@dataclass
class Run:
    """One training, from its start over all its resumptions.

    Attributes:
        path: The work dir.
        name: Name of the config, without the part on GPUs and batch size
            (``famkd_resnet56_resnet20_cifar100``).
        config: The config as it was run, an ``mmengine.Config``.
        by_epoch: Whether the positions below are epochs, else iterations.
        train: Lines of the training log, in order; each has the position ``at``.
        val: Lines of the validations, likewise.
        teacher: Metrics of the teacher before the training, where it was evaluated.
    """

    path: Path
    name: str
    config: dict
    by_epoch: bool
    train: list[dict] = field(default_factory=list)
    val: list[dict] = field(default_factory=list)
    teacher: dict[str, float] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        return 'epoch' if self.by_epoch else 'iteration'

    @property
    def length(self) -> int:
        """Epochs or iterations that were run."""
        return self.train[-1]['at']

    @property
    def planned(self) -> int:
        """Epochs or iterations that the config asks for."""
        loop = self.config.get('train_cfg') or {}
        key = 'max_epochs' if self.by_epoch else 'max_iters'
        return loop.get(key) or self.length

    @property
    def command(self) -> str | None:
        """The command that started it; None if it was not kept."""
        return self.config.get('command')

    @property
    def metrics(self) -> list[str]:
        """Names of the validation metrics, in the order of the log."""
        others = {'at', 'step', 'time', 'data_time'}
        return list(
            dict.fromkeys(k for line in self.val for k in line if k not in others)
        )

    def curve(self, key: str) -> tuple[list[int], list[float]]:
        """A scalar over the training.

        Args:
            key: A metric of the validations, or a scalar of the training log:
                a loss or a time is averaged over every epoch, of others the last
                value of every epoch is taken.

        Returns:
            tuple: Positions (epochs or iterations) and values, as many.
        """
        points = {}
        for line in self.val if key in self.metrics else self.train:
            if key in line:
                points.setdefault(line['at'], []).append(line[key])
        if AVERAGED.match(key):
            values = [mean(group) for group in points.values()]
        else:
            values = [group[-1] for group in points.values()]
        return list(points), values


@dataclass
class Experiment:
    """Runs of one config that differ in the seed only."""

    name: str
    runs: list[Run]


def note(message: str) -> None:
    """Says on stderr what was left out of the result."""
    print(f'note: {message}', file=sys.stderr)


def read_run(path: str | Path) -> Run:
    """Reads a work dir.

    A resumed training has several logs; each one replaces the previous ones from
    its first position on, so a training that was started anew counts alone. It may
    begin with a validation that the killed one missed, or have nothing else. Other
    logs without a training (of a validation alone, say) are ignored.

    Args:
        path: The work dir, which has ``TIMESTAMP/vis_data/scalars.json``.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If no training is logged in it, or it is a file.
    """
    path = Path(path)
    if path.is_file():  # work_dirs/* may find one
        raise ValueError(f'{path}: a file, not the work dir of a training')
    if not path.is_dir():
        raise FileNotFoundError(
            f'{path}: no such folder; give the work dir of a training'
        )
    run = None
    for log in sorted(path.glob('*/vis_data/scalars.json')):
        lines = _read_lines(log)
        config = _read_config(log) if lines else {}
        # Only the lines of the training have the iteration.
        first = next((line for line in lines if 'iter' in line), None)
        if first is not None:
            by_epoch = 'epoch' in first
        elif run is not None and config.get('resume'):
            by_epoch = run.by_epoch
        else:
            continue
        new = Run(path, _name(path), config, by_epoch)
        goes_on = run is not None and run.by_epoch == by_epoch
        _sort_lines(new, lines, run.length if goes_on else 0)
        if goes_on:
            train_start = new.train[0]['at'] if new.train else inf
            val_start = min([train_start, *(x['at'] for x in new.val)])
            new.train = [x for x in run.train if x['at'] < train_start] + new.train
            new.val = [x for x in run.val if x['at'] < val_start] + new.val
            new.teacher = new.teacher or run.teacher
        run = new
    if run is None:
        raise ValueError(
            f'{path}: no line of a training in {path}/TIMESTAMP/vis_data/scalars.json; '
            'is it a work dir, and has the training come to its first log line?'
        )
    if run.length < run.planned:
        note(f'{path}: unfinished, {run.length} of {run.planned} {run.unit}s')
    return run


def read_runs(paths: list[str]) -> list[Run]:
    """Reads work dirs; one without a training, or a file, is left out, with a note.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If nothing is left.
    """
    runs = []
    for path in paths:
        try:
            runs.append(read_run(path))
        except ValueError as error:
            note(f'left out: {error}')
    if not runs:
        raise ValueError(f'no training in {", ".join(map(str, paths))}')
    return runs


def common_unit(runs: list[Run]) -> str:
    """The unit of all runs, 'epoch' or 'iteration', for one axis of all.

    Raises:
        ValueError: If they differ.
    """
    units = {run.unit: run.path for run in runs}
    if len(units) > 1:
        raise ValueError(
            f'{units["epoch"]} counts epochs and {units["iteration"]} iterations: '
            'plot them apart'
        )
    return runs[0].unit


def group_runs(runs: list[Run]) -> list[Experiment]:
    """Groups runs into experiments, in the order of their first runs.

    Runs belong together if their configs have the same name and differ in the
    seed, in paths of seeds (``..._seed1``) and in logging only. An experiment has the
    name of its config, or of its work dir where the config was run with several
    settings.
    """
    groups = {}
    for run in runs:
        groups.setdefault((run.name, _settings(run.config)), []).append(run)
    names = [name for name, _ in groups]
    return [
        Experiment(name if names.count(name) == 1 else SEED.sub('', str(g[0].path)), g)
        for (name, _), g in groups.items()
    ]


def short_name(config_name: str) -> str:
    """The config's name without GPUs and batch size, but with its schedule.

    ``resnet20_1xb64_cifar100`` is ``resnet20_cifar100``, and
    ``resnet20_1xb128-24e_cifar100`` is ``resnet20-24e_cifar100``. A name before famkd
    0.2 is that of today.
    """
    name = read_renamed().get(config_name, config_name)
    return re.sub(r'_\d+xb\d+', '', name)


def _read_lines(log: Path) -> list[dict]:
    lines = []
    with log.open(errors='replace') as file:
        for number, text in enumerate(file, 1):
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                note(f'{log}: line {number} is no complete JSON, left out')
    return lines


def _sort_lines(run: Run, lines: list[dict], position: int) -> None:
    """Adds the lines of one log to a run that came to a position before it."""
    for line in lines:
        if 'iter' in line:
            position = line['epoch' if run.by_epoch else 'iter']
            run.train.append({**line, 'at': position})
        elif any(key.startswith(TEACHER) for key in line):
            run.teacher |= {
                key.removeprefix(TEACHER): value
                for key, value in line.items()
                if key.startswith(TEACHER)
            }
        else:
            # Some configs of MMDetection log step 0 for all validations.
            run.val.append({**line, 'at': line.get('step') or position})


def _name(path: Path) -> str:
    # MMEngine puts the config there, TIMESTAMP.py if it came from no file.
    configs = [x for x in path.glob('*.py') if not re.match(r'\d{8}_\d{6}$', x.stem)]
    if not configs:
        return SEED.sub('', path.resolve().name)
    return short_name(max(configs, key=lambda x: x.stat().st_mtime).stem)


def _read_config(log: Path) -> dict:
    from mmengine.config import Config

    file = log.with_name('config.py')
    try:
        return Config(parse_config(file.read_text()))  # read, not run
    except Exception as error:
        note(f'{file}: cannot be read ({type(error).__name__}: {error})')
        return Config()


def _settings(config: dict) -> str:
    settings = {key: value for key, value in config.items() if key not in IGNORED}
    if config.get('resume'):
        settings['load_from'] = None  # the run's own checkpoint
    settings['custom_hooks'] = [
        hook
        for hook in config.get('custom_hooks') or []
        if type_name(hook) not in IGNORED_HOOKS
    ]
    return SEED.sub('', repr(sorted(settings.items())))
