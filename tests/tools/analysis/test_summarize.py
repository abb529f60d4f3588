import csv
import json
import math
from pathlib import Path
from statistics import mean, median, stdev

import mmpretrain
import pytest
from tool_fixtures import load_tool

from famkd.apis.runs import read_run, read_runs, short_name
from famkd.apis.tables import read_published

TOOL = load_tool('analysis_tools/summarize')
main = TOOL.main
seconds = TOOL.seconds
summarize = TOOL.summarize
to_markdown = TOOL.to_markdown

ROOT = Path(__file__).parents[3]


def test_recorded_runs(recorded):
    names = ['famkd_seed0', 'student_seed0', 'famkd_seed1', 'teacher', 'student_seed1']
    rows = summarize(read_runs([recorded / name for name in names]))
    assert [(row['experiment'], row['role'], row['runs']) for row in rows] == [
        ('resnet20_digits', 'teacher', 1),
        ('resnet8_digits', 'student alone', 2),
        ('famkd_resnet20_resnet8_digits', 'distilled', 2),
    ]
    accuracies = []
    for seed in (0, 1):
        (log,) = (recorded / f'student_seed{seed}').glob('*/vis_data/scalars.json')
        lines = map(json.loads, log.read_text().splitlines())
        accuracies.append([x['accuracy/top1'] for x in lines if 'accuracy/top1' in x])
    last, best = [a[-1] for a in accuracies], [max(a) for a in accuracies]
    assert last != best
    assert rows[1]['accuracy/top1'] == pytest.approx(mean(last))
    assert rows[1]['accuracy/top1 std'] == pytest.approx(stdev(last))
    assert rows[1]['accuracy/top1 best'] == pytest.approx(mean(best))
    assert rows[1]['accuracy/top1 best std'] == pytest.approx(stdev(best))
    assert rows[0]['accuracy/top1 std'] is None
    assert rows[1]['length'] == rows[1]['planned'] == 12


def test_seconds_of_an_epoch(recorded, make_run, epochs, detection_lines):
    run = read_run(recorded / 'teacher')  # 20 iterations in an epoch
    assert seconds(run) == pytest.approx(20 * median(x['time'] for x in run.train))
    assert seconds(read_run(make_run('a', epochs(1, 3)))) == 100 * 0.5
    assert seconds(read_run(make_run('b', epochs(1, 1)))) is None
    assert seconds(read_run(make_run('c', detection_lines))) == 0.25


def test_published_numbers_stand_beside(make_run, epochs, capsys):
    path = make_run(
        'x', epochs(1, 2, accuracy=60), config_name='resnet56_1xb64_cifar100'
    )
    main([str(path)])
    lines = capsys.readouterr().out.splitlines()
    header, cells = ([c.strip() for c in lines[i].split('|')] for i in (0, 2))
    assert cells[header.index('top1 last')] == '62.00'
    assert cells[header.index('published')] == '72.34 [1]'
    assert lines[-1].startswith('[1] RepDistiller README')


def test_every_run_has_its_command(make_run, epochs, capsys, tmp_path):
    config = 'command = "python tools/train.py x.py --cfg-options randomness.seed={}"'
    paths = [
        str(make_run(f'x_seed{i}', epochs(1, 2), config=config.format(i)))
        for i in (0, 1)
    ]
    main([*paths, '--out', str(tmp_path / 'table.csv')])
    table = capsys.readouterr().out
    assert '| resnet20_cifar100 | 2 ' in table
    command = 'python tools/train.py x.py --cfg-options randomness.seed='
    assert f'# resnet20_cifar100\n{command}0\n{command}1\n```' in table
    assert f'{command}0; {command}1' in (tmp_path / 'table.csv').read_text()


def test_bars(recorded, tmp_path, capsys):
    out = tmp_path / 'bars.png'
    main([*map(str, recorded.glob('*/')), '--out', str(out)])
    assert out.stat().st_size > 1000
    assert capsys.readouterr().out.endswith(f'wrote {out}\n')
    with pytest.raises(ValueError, match='the runs have no metric to draw'):
        TOOL.write([dict(title='x', role='')], str(out))


def test_mean_class_accuracy_stands_beside_the_others(make_run, epochs, capsys):
    lines = epochs(1, 2, accuracy=40)
    for line in lines:
        if 'accuracy/top1' in line:
            line.update({'accuracy/top5': 70.0, 'single-label/recall': 12.0, 'x': 1.0})
    name = 'dct_resnet50_resnet18_1xb128_ade20k'
    main([str(make_run('x', lines, config_name=name))])
    lines = capsys.readouterr().out.splitlines()
    header, cells = ([c.strip() for c in lines[i].split('|')] for i in (0, 2))
    assert 'x last' not in header
    assert cells[header.index('recall last')] == '12.00'
    assert [c for c in cells if c.endswith(' [1]')] == [
        '47.35 [1]',
        '70.40 [1]',
        '13.11 [1]',
    ]
    assert lines[-1].rstrip().endswith('; best epoch')


def test_shorter_runs_are_left_out_of_the_mean(make_run, epochs, capsys):
    config = 'train_cfg = dict(max_epochs=4)'
    long = make_run('x_seed0', epochs(1, 4, accuracy=60), config=config)
    short = make_run('x_seed1', epochs(1, 2, accuracy=0), config=config)
    (row,) = summarize(read_runs([short, long]))
    assert (row['runs'], row['accuracy/top1']) == (1, 64)
    err = capsys.readouterr().err
    assert f'note: {short}: unfinished, 2 of 4 epochs' in err
    assert f'note: {short}: left out of the mean of resnet20_cifar100: 2 epochs' in err
    assert '2/4 epochs' in to_markdown(summarize(read_runs([short])))


def test_detection(make_run, detection_lines):
    distilled = (
        'model = dict(architecture=dict(cfg_path="mmdet::a/student_r18_coco.py"), '
        'teacher=dict(backbone=dict(depth=101)))'
    )
    teacher = 'model = dict(backbone=dict(depth=101))'
    paths = [
        make_run('kd', detection_lines, config=distilled, config_name='kd'),
        make_run('s', detection_lines, config_name='student_r18_coco'),
        make_run('t', detection_lines, config=teacher, config_name='teacher_r101'),
        make_run('o', detection_lines, config_name='other'),
    ]
    rows = summarize(read_runs(paths))
    assert [row['role'] for row in rows] == [
        'teacher',
        'student alone',
        'distilled',
        '',
    ]
    table = to_markdown(rows)
    assert '| bbox_mAP last | bbox_mAP best | bbox_mAP_50 last |' in table
    assert '| 0.200         | 0.200         | 0.500            |' in table
    assert '0.25 s/iteration' in table
    assert 'published' not in table


def test_files_say_the_same(recorded, tmp_path, capsys):
    out = [str(tmp_path / 'new' / f'results.{kind}') for kind in ('md', 'csv', 'json')]
    main([*map(str, recorded.glob('*_seed*')), *(f'--out={file}' for file in out)])
    rows = json.loads(Path(out[2]).read_text())
    with open(out[1], newline='') as file:
        flat = list(csv.DictReader(file))
    assert [float(row['accuracy/top1']) for row in flat] == [
        row['accuracy/top1'] for row in rows
    ]
    markdown = Path(out[0]).read_text()
    assert markdown in capsys.readouterr().out
    assert f'{rows[0]["accuracy/top1"]:.2f} ± ' in markdown


def test_the_best_of_a_training_is_a_number(make_run, epochs):
    lines = epochs(1, 1, accuracy=math.nan) + epochs(2, 2, accuracy=60)
    [row] = summarize([read_run(make_run('x', lines))])
    assert row['accuracy/top1'] == row['accuracy/top1 best'] == 62


def test_fractions_have_three_digits_beside_a_training_that_diverged(make_run):
    runs = []
    for name, value in (('diverged', math.nan), ('good', 0.1234)):
        lines = [dict(loss=1.0, epoch=1, iter=1, step=1), dict(mAP=value, step=1)]
        runs.append(read_run(make_run(name, lines, config_name=name)))
    assert '0.123' in to_markdown(summarize(runs))


def test_errors(make_run, epochs, capsys):
    path = str(make_run('x', epochs(1, 1, accuracy=60)))
    with pytest.raises(SystemExit, match='--metric mIoU: not in .*/x; there: accuracy'):
        main([path, '--metric', 'mIoU'])
    with pytest.raises(SystemExit, match='error: nowhere: no such folder'):
        main(['nowhere'])
    with pytest.raises(SystemExit):
        main([path, '--out', 'results.txt'])
    with pytest.raises(SystemExit, match="error: .*File exists: '.*/scalars.json'"):
        log = next(Path(path).rglob('scalars.json'))
        main([path, '--out', str(log / 'results.md')])
    assert (
        'results.txt must end in .md, .csv or .json (tables)' in capsys.readouterr().err
    )


def test_published_names_are_those_of_configs():
    ours = {short_name(path.stem) for path in ROOT.glob('configs/**/*.py')}
    zoo = Path(mmpretrain.__file__).parent / '.mim/configs'
    theirs = {short_name(path.stem) for path in zoo.glob('resnet/*_in1k.py')}
    names = {name for name, _ in read_published()}
    assert len(names) > 40
    assert names <= ours | theirs
