"""FAM-KD from start to end on handwritten digits, in a few minutes on a CPU.

    python tools/demo.py [--quick]

Trains a teacher on 1,000 images, then a smaller student on 50 of them, alone and with
FAM-KD from that teacher, for several seeds: all by tools/train.py with the configs in
configs/demo, as many at once as there are cores. The teacher goes where the recipe of
FAM-KD looks for it; a finished one that is there is taken. Prints the accuracies on 797
held-out images and writes summary.json and summary.png to the work folder.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path

from mmengine.config import Config
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from famkd.apis.plots import (
    COLORS,
    draw_seeds,
    label_training_axis,
    new_figure,
    save,
)
from famkd.apis.runs import read_run
from famkd.apis.tables import markdown_table, number, spread

ROOT = Path(__file__).resolve().parents[1]
TEACHER, ALONE, FAMKD = 'teacher', 'student alone', 'student with FAM-KD'
CONFIGS = {
    TEACHER: ROOT / 'configs/demo/resnet20_digits.py',
    ALONE: ROOT / 'configs/demo/resnet8_digits.py',
    FAMKD: ROOT / 'configs/demo/famkd_resnet20_resnet8_digits.py',
}
PACKAGES = ('torch', 'mmcv', 'mmengine', 'mmpretrain', 'mmrazor', 'famkd')


@dataclass
class Training:
    """One training by tools/train.py, in a process of its own."""

    kind: str
    seed: int
    folder: Path
    options: list[str]
    process: subprocess.Popen | None = None
    seconds: float | None = None  # None where it was there before

    def run(self, teacher: Future | None = None) -> 'Training':
        """Trains, after the teacher; a RuntimeError has the end of a failure's log."""
        if teacher:
            teacher.result()
        self.folder.mkdir(parents=True, exist_ok=True)
        log, start = self.folder / 'log.txt', time.monotonic()
        command = [sys.executable, ROOT / 'tools/train.py', CONFIGS[self.kind]]
        command += ['--work-dir', self.folder, '--cfg-options', *self.options]
        # One thread: trainings this small gain more by running side by side.
        environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
        with log.open('w') as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment
            )
        if self.process.wait():
            tail = '\n'.join(log.read_text().splitlines()[-15:])
            raise RuntimeError(f'{tail}\n{self.kind}, seed {self.seed}: see {log}')
        self.seconds = round(time.monotonic() - start, 1)
        return self

    def curve(self) -> list[tuple[int, float]]:
        """Accuracy on the held-out images: (epoch, per cent) pairs."""
        return list(zip(*read_run(self.folder).curve('accuracy/top1'), strict=True))


def read_config(kind: str) -> Config:
    """A config of the demo; what it imports is for the process that trains."""
    return Config.fromfile(CONFIGS[kind], import_custom_modules=False)


def teacher_checkpoint() -> Path:
    """Where the recipe of FAM-KD looks for the teacher."""
    return Path(read_config(FAMKD).model.teacher_ckpt)


def plan(folder: Path, seeds: int, quick: bool) -> list[Training]:
    """The trainings, the teacher first; quick students train a third as long."""
    teacher = Training(TEACHER, 0, teacher_checkpoint().parent, ['randomness.seed=0'])
    trainings = [teacher]
    for kind in (ALONE, FAMKD):
        epochs = read_config(kind).train_cfg.max_epochs // 3
        shorter = [f'train_cfg.max_epochs={epochs}', f'param_scheduler.T_max={epochs}']
        for seed in range(seeds):
            name = f'{kind} seed {seed}'.replace(' ', '_')
            options = [f'randomness.seed={seed}', *(shorter if quick else [])]
            trainings.append(Training(kind, seed, folder / name, options))
    return trainings


def train_all(trainings: list[Training], workers: int) -> None:
    """Trains side by side; the students with FAM-KD wait for the teacher.

    Raises:
        RuntimeError: If a training fails; the others are then stopped.
    """
    columns = '{task.description}', BarColumn(), MofNCompleteColumn()
    with (
        ThreadPoolExecutor(workers) as pool,
        Progress(*columns, TimeElapsedColumn()) as progress,
    ):
        teacher, futures = None, []
        for training in trainings:
            waits_for = teacher if training.kind == FAMKD else None
            futures.append(pool.submit(training.run, waits_for))
            teacher = futures[0] if training.kind == TEACHER else teacher
        try:
            for future in progress.track(
                as_completed(futures), total=len(futures), description='trainings'
            ):
                done = future.result()
                accuracy = f'{done.curve()[-1][1]:.1f} %'
                progress.console.print(f'{done.kind}, seed {done.seed}: {accuracy}')
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for training in trainings:
                if training.process:
                    training.process.terminate()
            raise


def summarise(trainings: list[Training], seconds: float, quick: bool) -> dict:
    """The content of summary.json.

    Args:
        trainings: The finished trainings.
        seconds: How long all of it took.
        quick: Whether they were shortened.

    Returns:
        dict: For each kind the final accuracies in per cent, by seed, their mean and
        standard deviation; the gain of FAM-KD over the student alone, in points of
        the means; the runs with their curves; times and versions.
    """
    runs = [
        dict(kind=x.kind, seed=x.seed, seconds=x.seconds, curve=x.curve())
        for x in trainings
    ]
    accuracy = {}
    for kind in CONFIGS:
        values = [run['curve'][-1][1] for run in runs if run['kind'] == kind]
        average, deviation = spread(values)
        accuracy[kind] = dict(by_seed=values, mean=average, deviation=deviation)
    distributions = packages_distributions()
    return dict(
        accuracy=accuracy,
        gain=accuracy[FAMKD]['mean'] - accuracy[ALONE]['mean'],
        seconds=round(seconds, 1),
        quick=quick,
        runs=runs,
        cores=os.cpu_count(),
        python=platform.python_version(),
        versions={name: version(distributions[name][0]) for name in PACKAGES},
    )


def table(summary: dict) -> str:
    """The accuracies of a summary, and the gain of FAM-KD, to be printed."""
    rows = [['accuracy on held-out images, %', 'mean', 'deviation', 'by seed']]
    for kind, result in summary['accuracy'].items():
        by_seed = '  '.join(f'{value:.1f}' for value in result['by_seed'])
        values = number(result['mean'], digits=1), number(result['deviation'], digits=1)
        rows.append([kind, *values, by_seed])
    gain = f'{summary["gain"]:+.1f} points'
    verdict = gain if summary['gain'] > 0 else f'no gain here ({gain})'
    return f'{markdown_table(rows)}\n\nFAM-KD against the student alone: {verdict}'


def plot(summary: dict, path: Path) -> None:
    """Draws the students' curves and the final accuracies of a summary.

    Bands and lines are the standard deviation over the seeds.
    """
    colors = dict(zip((ALONE, FAMKD, TEACHER), COLORS, strict=False))
    figure, ((curves, bars),) = new_figure(1, 2, 3.4)
    for kind in (ALONE, FAMKD):
        seeds = [run['curve'] for run in summary['runs'] if run['kind'] == kind]
        runs = [tuple(map(list, zip(*curve, strict=True))) for curve in seeds]
        draw_seeds(curves, runs, color=colors[kind], label=kind)
    teacher = summary['accuracy'][TEACHER]['mean']
    curves.axhline(teacher, color=colors[TEACHER], ls='--', label=TEACHER)
    curves.set(ylabel='accuracy on held-out images (%)', ylim=(0, 102))
    label_training_axis(curves, 'epoch')
    curves.set_title('training')
    figure.legend(loc='outside upper left', ncols=3)

    for kind, result in summary['accuracy'].items():
        color, deviation = colors[kind], result['deviation']
        name = kind.replace(' ', '\n', 1)
        drawn = bars.bar(name, result['mean'], yerr=deviation, color=color, capsize=6)
        bars.bar_label(drawn, fmt='%.1f', label_type='center', color='w')
    bars.set(ylim=(0, 102), axisbelow=True)
    bars.grid(False, axis='x')
    bars.set_title('at the end')
    save(figure, [str(path)])


def main(argv: list[str] | None = None) -> None:
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
    trainings = plan(args.work_dir, args.seeds or (1 if args.quick else 3), args.quick)
    todo, start, workers = trainings, time.monotonic(), min(4, os.cpu_count())
    if teacher_checkpoint().is_file():
        print(f'teacher: {teacher_checkpoint()} is there and taken as it is')
        todo = trainings[1:]
    print(
        f'{len(todo)} trainings, {workers} at a time; logs: log.txt in each work folder'
    )
    try:
        train_all(todo, workers)
        summary = summarise(trainings, time.monotonic() - start, args.quick)
    except (RuntimeError, ValueError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit('\ninterrupted: the next call starts from the beginning')
    (args.work_dir / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
    print(f'\n{table(summary)}\n')
    plot(summary, args.work_dir / 'summary.png')
    print(f'wrote {args.work_dir}/summary.json')


if __name__ == '__main__':
    main()
