from statistics import mean

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
        for stage, line in enumerate(lines, start=1):
            curves = [run.curve(f'{name}_stage{stage}')[1] for run in runs]
            means = [mean(values) for values in zip(*curves, strict=True)]
            assert list(line.get_ydata()) == pytest.approx(means)
    labels = [text.get_text() for text in right.get_legend().texts]
    assert labels == ['start', 'stage 1', 'stage 2', 'stage 3', 'stage 4']
    pyplot.close(figure)

    table = last_values(experiments).splitlines()
    last = mean(run.train[-1]['gamma2_stage3'] for run in runs)
    [row] = [line for line in table if line.startswith('| FAM-KD, gamma2 ')]
    assert row.split('|')[4].startswith(f' {last:.2f} ± ')


def test_published_gammas_stand_below(make_run, epochs):
    gammas = {f'gamma{g}_stage{i}': g + i / 10 for g in (1, 2) for i in (1, 2, 3)}
    path = make_run('x', epochs(1, 2, **gammas), config_name='mine')
    lines = last_values(group_runs([read_run(path)])).splitlines()
    rows = {row[1].strip(): row[2:-1] for row in (line.split('|') for line in lines)}
    cells = {name: [cell.strip() for cell in row] for name, row in rows.items()}
    assert cells['mine, gamma1'] == ['1.10', '1.20', '1.30', '-']
    source = 'FAM-KD supplement (WACV 2024) Table A.'
    pair = 'famkd_resnet32x4_resnet8x4_cifar100'
    assert cells[f'{pair}, gamma2 ({source}4)'] == ['0.37', '0.20', '0.23', '-']
    pair = 'famkd_resnet34_resnet18_in1k'
    assert cells[f'{pair}, gamma1 ({source}3)'] == ['1.18', '3.33', '3.78', '3.44']


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
