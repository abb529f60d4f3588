"""FAM-KD from start to end on handwritten digits, in a few minutes on a CPU.

    python tools/demo.py [--quick]

Trains a teacher on 1,000 images, then a smaller student on 50 of them, alone and with
FAM-KD from that teacher, for several seeds: all by tools/train.py with the configs in
configs/demo, as many at once as there are cores. Prints the accuracies on 797
held-out images and writes summary.json and summary.png to the work folder. After an
interruption it starts again from the beginning.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from statistics import mean, stdev

from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[1]
TEACHER, ALONE, FAMKD = 'teacher', 'student alone', 'student with FAM-KD'
CONFIGS = {
    TEACHER: ROOT / 'configs/demo/resnet20_digits.py',
    ALONE: ROOT / 'configs/demo/resnet8_digits.py',
    FAMKD: ROOT / 'configs/demo/famkd_resnet20_resnet8_digits.py',
}
# Cost of an epoch relative to the others': it only weighs the progress display.
EPOCH_COST = {TEACHER: 30, ALONE: 1, FAMKD: 3}
ACCURACY = 'accuracy/top1'
PACKAGES = ('torch', 'mmcv', 'mmengine', 'mmpretrain', 'mmrazor', 'famkd')


@dataclass
class Run:
    """One training by tools/train.py.

    Args:
        kind (str): ``TEACHER``, ``ALONE`` or ``FAMKD``.
        seed (int): Seed of weights, order and augmentation.
        folder (Path): Its work folder.
        epochs (int): How long it trains.
        options (list[str]): Entries of the config to set, KEY=VALUE.
    """

    kind: str
    seed: int
    folder: Path
    epochs: int
    options: list
    process: subprocess.Popen | None = None
    started: float = 0.0
    seconds: float | None = None

    def start(self):
        """Start the training in a process of its own."""
        self.folder.mkdir(parents=True)
        self.started = time.monotonic()
        command = [sys.executable, ROOT / 'tools/train.py', CONFIGS[self.kind]]
        command += ['--work-dir', self.folder, '--cfg-options', *self.options]
        with (self.folder / 'log.txt').open('w') as log:
            # One thread: trainings this small gain more by running side by side.
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'OMP_NUM_THREADS': '1'},
            )

    def is_done(self):
        """Whether it has ended; RuntimeError, with the log's end, if it failed."""
        if self.seconds is None and self.process and self.process.poll() is not None:
            if self.process.returncode:
                log = self.folder / 'log.txt'
                tail = '\n'.join(log.read_text().splitlines()[-15:])
                raise RuntimeError(f'{tail}\n{self.kind}, seed {self.seed}: see {log}')
            self.seconds = time.monotonic() - self.started
        return self.seconds is not None

    def logged(self):
        """What MMEngine has logged so far: a dict for every complete line."""
        lines = [
            line
            for file in self.folder.glob('*/vis_data/scalars.json')
            for line in file.read_text().splitlines(keepends=True)
        ]
        return [json.loads(line) for line in lines if line.endswith('\n')]

    def epochs_done(self):
        """How many epochs it has trained."""
        return max((line.get('epoch', 0) for line in self.logged()), default=0)

    def curve(self):
        """Accuracy on the held-out images: [epoch, per cent] pairs."""
        lines = [line for line in self.logged() if ACCURACY in line]
        return [[line['step'], line[ACCURACY]] for line in lines]


def plan(folder, seeds, quick):
    """List the trainings.

    Args:
        folder (Path): The demo's work folder.
        seeds (int): How many students of each kind.
        quick (bool): Whether to train the students only a third as long.

    Returns:
        list[Run]: The teacher first.
    """
    runs = []
    students = [(kind, seed) for seed in range(seeds) for kind in (ALONE, FAMKD)]
    for kind, seed in [(TEACHER, 0), *students]:
        config = Config.fromfile(CONFIGS[kind], import_custom_modules=False)
        epochs = config.train_cfg.max_epochs
        if quick and kind != TEACHER:
            epochs //= 3
        options = [
            f'randomness.seed={seed}',
            f'train_cfg.max_epochs={epochs}',
            f'param_scheduler.T_max={epochs}',
        ]
        if kind == FAMKD:
            teacher = runs[0]
            checkpoint = teacher.folder / f'epoch_{teacher.epochs}.pth'
            options.append(f'model.teacher_ckpt={checkpoint}')
        name = f'{kind} seed {seed}'.replace(' ', '_')
        runs.append(Run(kind, seed, folder / name, epochs, options))
    return runs


def train_all(runs, workers, show):
    """Train side by side; what distils waits for its teacher.

    Args:
        runs (list[Run]): The trainings, the teacher first.
        workers (int): How many may run at once.
        show (Callable): Called with the runs again and again, to show the progress.

    Raises:
        RuntimeError: If a training fails; the others are then stopped.
    """
    waiting, running = list(runs), []
    try:
        while waiting or running:
            running = [run for run in running if not run.is_done()]
            ready = [r for r in waiting if r.kind != FAMKD or runs[0].is_done()]
            for run in ready[: workers - len(running)]:
                waiting.remove(run)
                running.append(run)
                run.start()
            show(runs)
            time.sleep(0.2)
    finally:
        for run in running:
            run.process.terminate()
            run.process.wait()


class Progress:
    """Shows what runs and how long it will take: on one line, if on a terminal.

    Args:
        stream (TextIO): Where to. Defaults to the standard output.
    """

    def __init__(self, stream=None):
        self.stream = stream or sys.stdout
        self.start = time.monotonic()
        self.next = 0.0
        self.reported = set()

    def __call__(self, runs):
        """Show the state of the runs, if it was last shown a while ago."""
        for run in runs:
            if run.seconds is not None and id(run) not in self.reported:
                self.reported.add(id(run))
                accuracy = run.curve()[-1][1]
                self._write(f'{run.kind}, seed {run.seed}: {accuracy:.1f} %', '\n')
        now = time.monotonic()
        if now < self.next:
            return
        is_terminal = self.stream.isatty()
        self.next = now + (1 if is_terminal else 15)
        done = {run.folder: run.epochs_done() for run in runs}
        cost = sum(EPOCH_COST[run.kind] * run.epochs for run in runs)
        part = sum(EPOCH_COST[run.kind] * done[run.folder] for run in runs) / cost
        left = (
            f'{clock((now - self.start) * (1 / part - 1))} left' if part > 0.05 else ''
        )
        active = ', '.join(
            f'{run.kind} {run.seed}: epoch {done[run.folder]}/{run.epochs}'
            for run in runs
            if run.process and run.seconds is None
        )
        self._write(f'{part:4.0%} {left} | {active}', '' if is_terminal else '\n')

    def _write(self, text, end):
        clear = '\r\033[K' if self.stream.isatty() else ''
        print(
            f'{clear}{clock(time.monotonic() - self.start)} {text}',
            end=end,
            file=self.stream,
            flush=True,
        )


def clock(seconds):
    """Write a duration as minutes:seconds."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02}'


def summarise(runs, seconds, quick):
    """Collect the results.

    Args:
        runs (list[Run]): The finished trainings.
        seconds (float): How long all of it took.
        quick (bool): Whether they were shortened.

    Returns:
        dict: What summary.json holds: for each kind the final accuracies in per
        cent, by seed, their mean and standard deviation; the gain of FAM-KD over
        the student alone, in points of the means; the runs with their curves; times
        and versions.
    """
    accuracy = {}
    for kind in (TEACHER, ALONE, FAMKD):
        values = [run.curve()[-1][1] for run in runs if run.kind == kind]
        deviation = stdev(values) if len(values) > 1 else None
        accuracy[kind] = dict(by_seed=values, mean=mean(values), deviation=deviation)
    distributions = packages_distributions()
    return dict(
        accuracy=accuracy,
        gain=accuracy[FAMKD]['mean'] - accuracy[ALONE]['mean'],
        seconds=round(seconds, 1),
        quick=quick,
        runs=[
            dict(
                kind=run.kind,
                seed=run.seed,
                epochs=run.epochs,
                seconds=round(run.seconds, 1),
                curve=run.curve(),
            )
            for run in runs
        ],
        cores=os.cpu_count(),
        python=platform.python_version(),
        versions={name: version(distributions[name][0]) for name in PACKAGES},
    )


def table(summary):
    """Write the accuracies as lines of text.

    Args:
        summary (dict): What :func:`summarise` returns.

    Returns:
        str: A line for each kind, and what FAM-KD changed.
    """
    lines = [f'{"accuracy on held-out images, %":32} {"mean":>5}   deviation   by seed']
    for kind, result in summary['accuracy'].items():
        deviation = result['deviation']
        deviation = '-' if deviation is None else f'{deviation:.1f}'
        by_seed = '  '.join(f'{value:.1f}' for value in result['by_seed'])
        lines.append(f'{kind:32} {result["mean"]:5.1f}   {deviation:>9}   {by_seed}')
    gain = summary['gain']
    verdict = (
        f'{gain:+.1f} points' if gain > 0 else f'no gain here ({gain:+.1f} points)'
    )
    lines += ['', f'FAM-KD against the student alone: {verdict}']
    return '\n'.join(lines)


def plot(summary, path):
    """Draw the students' curves and the final accuracies.

    Args:
        summary (dict): What :func:`summarise` returns.
        path (Path): The picture to write.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    colors = {TEACHER: '0.35', ALONE: 'tab:blue', FAMKD: 'tab:orange'}
    accuracy = summary['accuracy']
    figure, (curves, bars) = plt.subplots(1, 2, figsize=(10, 4), layout='constrained')

    for kind in (ALONE, FAMKD):
        seeds = [run['curve'] for run in summary['runs'] if run['kind'] == kind]
        for curve in seeds:
            curves.plot(*zip(*curve, strict=True), color=colors[kind], alpha=0.3)
        epochs = [epoch for epoch, _ in seeds[0]]
        means = [
            mean(values)
            for values in zip(*([a for _, a in c] for c in seeds), strict=True)
        ]
        curves.plot(epochs, means, color=colors[kind], linewidth=2.5, label=kind)
    curves.axhline(
        accuracy[TEACHER]['mean'], color=colors[TEACHER], ls='--', label=TEACHER
    )
    curves.set(xlabel='epoch', ylabel='accuracy on held-out images (%)', ylim=(0, 102))
    curves.legend(loc='lower right')
    curves.set_title('training of the student (thin: one seed, thick: mean)')

    for place, (kind, result) in enumerate(accuracy.items()):
        bars.bar(
            place,
            result['mean'],
            yerr=result['deviation'],
            color=colors[kind],
            capsize=6,
        )
        bars.text(
            place,
            result['mean'] / 2,
            f'{result["mean"]:.1f}',
            ha='center',
            color='w',
            fontsize=14,
        )
    bars.set_xticks(range(len(accuracy)), accuracy)
    bars.set(ylim=(0, 102))
    bars.set_title('at the end (line: standard deviation over seeds)')
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(argv=None):
    """Run the demo; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--quick',
        action='store_true',
        help='one seed, students trained a third as long',
    )
    parser.add_argument('--seeds', type=int, help='students of each kind; default: 3')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo'))
    args = parser.parse_args(argv)
    seeds = args.seeds or (1 if args.quick else 3)

    runs = plan(args.work_dir.resolve(), seeds, args.quick)
    for run in runs:
        shutil.rmtree(run.folder, ignore_errors=True)
    start = time.monotonic()
    workers = min(4, os.cpu_count())
    print(
        f'{len(runs)} trainings, {workers} at a time; logs: {args.work_dir}/*/log.txt'
    )
    try:
        train_all(runs, workers, Progress())
    except RuntimeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit('\ninterrupted: the next call starts from the beginning')

    summary = summarise(runs, time.monotonic() - start, args.quick)
    (args.work_dir / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
    plot(summary, args.work_dir / 'summary.png')
    print(
        f'\n{table(summary)}\n\n{args.work_dir}/summary.json, {args.work_dir}/summary.png'
    )


if __name__ == '__main__':
    main()
