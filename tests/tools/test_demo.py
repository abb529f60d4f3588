import json
from types import SimpleNamespace

import pytest


@pytest.fixture
def demo(tool):
    return tool('demo')


@pytest.fixture
def trainings(demo, make_run, epochs):
    """Finished trainings with logs of them: accuracies of 3 epochs each."""
    kinds = [(demo.TEACHER, 0), (demo.ALONE, 0), (demo.ALONE, 1)]
    kinds += [(demo.FAMKD, 0), (demo.FAMKD, 1)]
    finals = [97, 60, 70, 80, 84]
    return [
        demo.Training(
            kind,
            seed,
            make_run(f'{kind} {seed}', epochs(1, 3, accuracy=final - 3)),
            [],
            seconds=12.3,
        )
        for (kind, seed), final in zip(kinds, finals, strict=True)
    ]


def test_summary(demo, trainings):
    summary = json.loads(json.dumps(demo.summarise(trainings, 61.27, quick=False)))
    assert summary['accuracy'][demo.TEACHER] == {
        'by_seed': [97.0],
        'mean': 97.0,
        'deviation': None,
    }
    assert summary['accuracy'][demo.FAMKD]['mean'] == 82
    assert summary['accuracy'][demo.FAMKD]['deviation'] == pytest.approx(8**0.5)
    assert summary['gain'] == 17
    assert summary['runs'][4]['curve'] == [[1, 82], [2, 83], [3, 84]]
    assert summary['runs'][4]['seconds'] == 12.3
    assert set(summary['versions']) >= {'famkd', 'torch', 'mmrazor'}


def test_table_tells_gain_from_loss(demo, trainings):
    summary = demo.summarise(trainings, 61.27, quick=False)
    table = demo.table(summary)
    assert '| student alone                  | 65.0 | 7.1       | 60.0  70.0 |' in table
    assert table.endswith('FAM-KD against the student alone: +17.0 points')
    summary['gain'] = -0.5
    assert 'no gain here (-0.5 points)' in demo.table(summary)


def test_picture(demo, trainings, tmp_path):
    from matplotlib.image import imread

    demo.plot(demo.summarise(trainings, 61.27, quick=False), tmp_path / 'summary.png')
    picture = imread(tmp_path / 'summary.png')
    assert picture.shape[1] > picture.shape[0] > 400
    assert picture[..., :3].std() > 0.05  # something is drawn


def test_plan(demo, tmp_path):
    from mmengine.config import Config

    runs = demo.plan(tmp_path, seeds=2, quick=False)
    assert [(run.kind, run.seed) for run in runs] == [
        (demo.TEACHER, 0),
        (demo.ALONE, 0),
        (demo.ALONE, 1),
        (demo.FAMKD, 0),
        (demo.FAMKD, 1),
    ]
    # The recipe finds the teacher there.
    recipe = Config.fromfile(demo.CONFIGS[demo.FAMKD])
    teacher = Config.fromfile(demo.CONFIGS[demo.TEACHER])
    last = runs[0].folder / f'epoch_{teacher.train_cfg.max_epochs}.pth'
    assert recipe.model.teacher_ckpt == str(last)
    assert runs[2].options == ['randomness.seed=1']
    assert len({run.folder for run in runs}) == 5
    quick = demo.plan(tmp_path, seeds=1, quick=True)
    assert quick[0].options == runs[0].options
    assert 'train_cfg.max_epochs=53' in quick[1].options
    # Both students are trained alike.
    assert quick[1].options == quick[2].options


class FakeProcess:
    """A training; where one fails, it is the teacher's."""

    fails = False

    def __init__(self, command, **kwargs):
        self.name = str(command[2])
        self.stopped = False
        LOG.append(('start', self.name))

    def wait(self):
        LOG.append(('end', self.name))
        return self.fails and self.name == 'teacher'

    def terminate(self):
        self.stopped = True


LOG = []


@pytest.fixture
def fake(demo, tmp_path, monkeypatch):
    """Three trainings whose processes only leave notes in LOG."""
    LOG.clear()
    kinds = demo.TEACHER, demo.ALONE, demo.FAMKD
    monkeypatch.setattr(demo, 'CONFIGS', {kind: kind for kind in kinds})
    fakes = SimpleNamespace(Popen=FakeProcess, STDOUT=None)
    monkeypatch.setattr(demo, 'subprocess', fakes)
    monkeypatch.setattr(demo.Training, 'curve', lambda self: [(1, 50.0)])
    return [demo.Training(kind, 0, tmp_path / kind, []) for kind in kinds]


@pytest.mark.parametrize('workers', [1, 3])
def test_distillation_waits_for_the_teacher(demo, fake, workers, capsys):
    demo.train_all(fake, workers)
    assert LOG.index(('end', demo.TEACHER)) < LOG.index(('start', demo.FAMKD))
    assert len(LOG) == 6
    assert 'teacher, seed 0: 50.0 %' in capsys.readouterr().out


def test_a_finished_teacher_is_taken(demo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trained = []

    def stop(trainings, workers):
        trained.extend(x.kind for x in trainings)
        raise RuntimeError('enough')

    monkeypatch.setattr(demo, 'train_all', stop)
    for expected in (
        [demo.TEACHER, demo.ALONE, demo.FAMKD],
        [demo.ALONE, demo.FAMKD],
    ):
        trained.clear()
        with pytest.raises(SystemExit, match='enough'):
            demo.main(['--quick'])
        assert trained == expected
        checkpoint = demo.teacher_checkpoint()
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.touch()
    assert f'{checkpoint} is there and taken as it is' in capsys.readouterr().out


def test_failure_stops_the_others_and_shows_the_log(demo, fake, monkeypatch):
    monkeypatch.setattr(FakeProcess, 'fails', True)
    with pytest.raises(RuntimeError, match=r'teacher, seed 0: see .*log.txt'):
        demo.train_all(fake, 1)
    assert fake[0].process.stopped
    assert ('start', demo.FAMKD) not in LOG
