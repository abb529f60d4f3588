import pytest
from matplotlib import pyplot
from tool_fixtures import load_tool

from famkd.apis.runs import group_runs, read_run, read_runs

TOOL = load_tool('analysis_tools/plot_gamma')
last_values = TOOL.last_values
main = TOOL.main
plot_gamma = TOOL.plot_gamma


def test_both_gammas_of_every_stage(recorded):
    runs = read_runs([recorded / 'famkd_seed0', recorded / 'famkd_seed1'])
    experiments = group_runs(runs)
    figure = plot_gamma(experiments)
    left, right = figure.axes
    for ax, name in ((left, 'gamma1'), (right, 'gamma2')):
        assert name in ax.get_title()
        start, *lines = ax.lines
        assert set(start.get_ydata()) == {0.5}
        assert [list(line.get_ydata()) for line in lines] == [
            run.curve(f'{name}_stage{i}')[1] for i in range(1, 5) for run in runs
        ]
    labels = [text.get_text() for text in right.get_legend().texts]
    assert labels == ['start', 'stage 1', 'stage 2', 'stage 3', 'stage 4']
    pyplot.close(figure)

    table = last_values(experiments[0]).splitlines()
    assert table[0].split('|')[1].strip() == 'famkd_resnet20_resnet8_digits'
    last = [run.train[-1]['gamma2_stage3'] for run in runs]
    assert table[3].split('|')[4].startswith(f' {sum(last) / 2:.2f} ± ')


def test_published_gammas(make_run, epochs):
    gammas = {f'gamma{g}_stage{i}': g + i / 10 for g in (1, 2) for i in (1, 2, 3, 4)}
    path = make_run(
        'x',
        epochs(1, 2, **gammas),
        config_name='famkd_resnet32x4_resnet8x4_1xb64_cifar100',
    )
    table = last_values(group_runs([read_run(path)])[0])
    assert '| gamma1                              | 1.10 (5.65) |' in table
    assert '| 2.30 (0.23) | 2.40    |' in table
    assert table.endswith('(in brackets: FAM-KD supplement (WACV 2024) Table A.4)')


def test_runs_without_gammas(recorded, tmp_path, capsys):
    student, famkd = recorded / 'student_seed0', recorded / 'famkd_seed0'
    out = tmp_path / 'gamma.png'
    main([str(student), str(famkd), '--out', str(out)])
    assert pyplot.imread(out).shape[1] == 1600
    assert f'note: {student}: no gamma1_stage1' in capsys.readouterr().err
    with pytest.raises(SystemExit, match='seed0: it has no frequency attention'):
        main([str(student)])


@pytest.mark.parametrize(
    'hooks, advice',
    [
        ('[]', r"add dict\(type='GammaLogHook'\) to its custom_hooks"),
        ('[dict(type="GammaLogHook")]', 'it ended before GammaLogHook logged'),
    ],
)
def test_hint_names_what_is_missing_only(hooks, advice, make_run, epochs):
    config = 'model = dict(distiller=dict(head=dict(type="FAMHead")))\n'
    config += f'custom_hooks = {hooks}'
    with pytest.raises(SystemExit, match=advice):
        main([str(make_run('x', epochs(1, 1), config=config))])
