import io
import json
import sys

import pytest


@pytest.fixture
def demo(tool):
    return tool('demo')


def finished(demo, folder, kind, seed, accuracies):
    """A run that has been trained, with MMEngine's log of it."""
    logs = folder / f'{kind} {seed}/20260101_000000/vis_data'
    logs.mkdir(parents=True)
    with (logs / 'scalars.json').open('w') as log:
        for epoch, accuracy in enumerate(accuracies, 1):
            log.write(
                json.dumps({'loss': 1.0, 'epoch': epoch, 'step': 2 * epoch}) + '\n'
            )
            log.write(json.dumps({'accuracy/top1': accuracy, 'step': epoch}) + '\n')
        log.write('{"loss": 0.')  # a line that is being written
    run = demo.Run(kind, seed, folder / f'{kind} {seed}', len(accuracies), [])
    run.seconds = 12.34
    return run


@pytest.fixture
def runs(demo, tmp_path):
    return [
        finished(demo, tmp_path, demo.TEACHER, 0, [90.0, 97.0]),
        finished(demo, tmp_path, demo.ALONE, 0, [20.0, 60.0]),
        finished(demo, tmp_path, demo.ALONE, 1, [30.0, 70.0]),
        finished(demo, tmp_path, demo.FAMKD, 0, [10.0, 80.0]),
        finished(demo, tmp_path, demo.FAMKD, 1, [40.0, 84.0]),
    ]


def test_summary(demo, runs):
    summary = json.loads(json.dumps(demo.summarise(runs, 61.27, quick=False)))
    assert summary['accuracy'][demo.TEACHER] == {
        'by_seed': [97.0],
        'mean': 97.0,
        'deviation': None,
    }
    assert summary['accuracy'][demo.FAMKD]['mean'] == 82
    assert summary['accuracy'][demo.FAMKD]['deviation'] == pytest.approx(8**0.5)
    assert summary['gain'] == 17
    assert summary['runs'][4]['curve'] == [[1, 40.0], [2, 84.0]]
    assert summary['runs'][4]['seconds'] == 12.3
    assert set(summary['versions']) >= {'famkd', 'torch', 'mmrazor'}


def test_table_tells_gain_from_loss(demo, runs):
    summary = demo.summarise(runs, 61.27, quick=False)
    table = demo.table(summary)
    assert '65.0         7.1   60.0  70.0' in table
    assert table.endswith('FAM-KD against the student alone: +17.0 points')
    summary['gain'] = -0.5
    assert 'no gain here (-0.5 points)' in demo.table(summary)


def test_picture(demo, runs, tmp_path):
    from matplotlib.image import imread

    demo.plot(demo.summarise(runs, 61.27, quick=False), tmp_path / 'summary.png')
    picture = imread(tmp_path / 'summary.png')
    assert picture.shape[1] > picture.shape[0] > 400
    assert picture[..., :3].std() > 0.05  # something is drawn


def test_plan(demo, tmp_path):
    runs = demo.plan(tmp_path, seeds=2, quick=False)
    assert [(run.kind, run.seed) for run in runs] == [
        (demo.TEACHER, 0),
        (demo.ALONE, 0),
        (demo.FAMKD, 0),
        (demo.ALONE, 1),
        (demo.FAMKD, 1),
    ]
    teacher = tmp_path / f'teacher_seed_0/epoch_{runs[0].epochs}.pth'
    assert f'model.teacher_ckpt={teacher}' in runs[2].options
    assert 'randomness.seed=1' in runs[4].options
    # Both students are trained alike.
    assert runs[1].epochs == runs[2].epochs
    quick = demo.plan(tmp_path, seeds=1, quick=True)
    assert quick[0].epochs == runs[0].epochs
    assert quick[1].epochs == runs[1].epochs // 3


class FakeRun:
    """A training that takes three looks, and notes who runs beside it."""

    def __init__(self, kind, log):
        self.kind, self.log, self.looks, self.process = kind, log, 0, self
        self.stopped = False

    def start(self):
        self.log.append(('start', self.kind))
        self.looks = 3

    def is_done(self):
        if not self.looks:
            return ('end', self.kind) in self.log
        self.looks -= 1
        if not self.looks:
            self.log.append(('end', self.kind))
        return not self.looks

    def terminate(self):
        self.stopped = True

    wait = terminate


def test_distillation_waits_for_the_teacher(demo, monkeypatch):
    monkeypatch.setattr('time.sleep', lambda seconds: None)
    log = []
    runs = [FakeRun(kind, log) for kind in (demo.TEACHER, demo.FAMKD, demo.ALONE)]
    demo.train_all(runs, workers=2, show=lambda runs: None)
    assert log[:2] == [('start', demo.TEACHER), ('start', demo.ALONE)]
    assert log.index(('end', demo.TEACHER)) < log.index(('start', demo.FAMKD))
    assert len(log) == 6


def test_failure_stops_the_others_and_shows_the_log(demo, tmp_path, monkeypatch):
    other = FakeRun(demo.ALONE, [])
    other.is_done = lambda: False
    broken = demo.Run(demo.TEACHER, 0, tmp_path / 'teacher', 1, ['resume=True'])
    monkeypatch.setattr(demo, 'CONFIGS', {demo.TEACHER: 'gone.py'})
    with pytest.raises(
        RuntimeError, match=r'(?s)no file .gone.py.*teacher, seed 0: see'
    ):
        demo.train_all([broken, other], workers=2, show=lambda runs: None)
    assert other.stopped


def test_progress(demo, runs, monkeypatch):
    now = iter([0.0, 30.0, 30.0, 30.0, 30.0])
    monkeypatch.setattr('time.monotonic', lambda: next(now))
    runs[4].seconds = None
    runs[4].process = sys  # it has one
    runs[4].epochs = 4
    stream = io.StringIO()
    show = demo.Progress(stream)
    for run in runs[:3]:
        show.reported.add(id(run))
    show(runs)
    lines = stream.getvalue().splitlines()
    assert lines[0] == '0:30 student with FAM-KD, seed 0: 80.0 %'
    # 60 + 2 + 2 + 6 + 6 of 60 + 2 + 2 + 6 + 12 is done
    assert lines[1] == '0:30  93% 0:02 left | student with FAM-KD 1: epoch 2/4'
