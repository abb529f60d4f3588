import json
import subprocess
import sys
from pathlib import Path
from statistics import mean

import pytest

from famkd.apis.runs import group_runs, read_run, read_runs, short_name


def raw(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_resumed_training_is_one_run(recorded):
    run = read_run(recorded / 'famkd_seed1')
    # Killed after the line of epoch 7, resumed from epoch 6: two lines of epoch 7.
    first, second = sorted((recorded / 'famkd_seed1').glob('*/vis_data/scalars.json'))
    assert [x['epoch'] for x in raw(first) if 'epoch' in x] == list(range(1, 8))
    new = raw(second)
    assert new[0]['epoch'] == 7
    assert run.name == 'famkd_resnet20_resnet8_digits'
    assert (run.length, run.planned, run.unit) == (12, 12, 'epoch')
    assert [x['at'] for x in run.train] == list(range(1, 13))
    assert [x['at'] for x in run.val] == [3, 6, 9, 12]
    assert run.train[6]['loss'] == new[0]['loss']
    assert run.metrics == ['accuracy/top1']
    positions, values = run.curve('gamma1_stage2')
    assert positions == list(range(1, 13))
    assert values[-1] == new[-2]['gamma1_stage2']


def test_a_training_started_anew_counts_alone(make_run, epochs):
    run = read_run(make_run('x', epochs(1, 9, loss=1.0), epochs(1, 2, loss=5.0)))
    assert [line['loss'] for line in run.train] == [5.0] * 4


def test_logs_without_training_are_ignored(make_run, epochs):
    test = [{'accuracy/top1': 1.0, 'step': 0}]
    run = read_run(make_run('x', epochs(1, 2, accuracy=50), test))
    assert run.curve('accuracy/top1') == ([1, 2], [51, 52])


@pytest.mark.parametrize('is_last', [True, False])
def test_a_validation_that_a_resumed_training_makes_up_for(make_run, epochs, is_last):
    lines = epochs(1, 3, accuracy=50)
    rest = [] if is_last else epochs(4, 4, accuracy=50)
    path = make_run('x', lines[:-1], [lines[-1], *rest], config='resume = True')
    last = [] if is_last else [4]
    run = read_run(path)
    assert run.curve('accuracy/top1') == (
        [1, 2, 3, *last],
        [51, 52, 53, *(54 for _ in last)],
    )
    assert run.curve('loss')[0] == [1, 2, 3, *last]


def test_a_detector_makes_up_for_a_validation_at_step_0(make_run, detection_lines):
    *lines, last = detection_lines
    run = read_run(make_run('x', lines, [last], config='resume = True'))
    assert run.curve('coco/bbox_mAP') == ([100, 200], [0.1, 0.2])


def test_curves_average_losses_and_take_the_last_of_others(make_run):
    lines = [
        dict(loss=3.0, gamma1_stage1=0.1, epoch=1, iter=50),
        dict(loss=1.0, gamma1_stage1=0.2, epoch=1, iter=100),
        dict(loss=0.5, gamma1_stage1=0.3, lr=0.1, epoch=2, iter=150),
    ]
    run = read_run(make_run('x', lines))
    assert run.curve('loss') == ([1, 2], [2.0, 0.5])
    assert run.curve('gamma1_stage1') == ([1, 2], [0.2, 0.3])
    assert run.curve('lr') == ([2], [0.1])
    assert run.curve('unknown') == ([], [])


def test_half_written_and_empty_logs(make_run, epochs, capsys):
    path = make_run('x', epochs(1, 2))
    log = path / '20260100_000000/vis_data/scalars.json'
    with log.open('a') as file:
        file.write('{"loss": 0.1, "ep')
    assert len(read_run(path).train) == 4
    assert capsys.readouterr().err == (
        f'note: {log}: line 5 is no complete JSON, left out\n'
    )
    log.write_text('')
    with pytest.raises(ValueError, match=f'{path}: no line of a training'):
        read_run(path)


def test_missing_folders_stop_and_empty_ones_are_left_out(make_run, epochs, capsys):
    good, empty = make_run('good', epochs(1, 1)), make_run('empty')
    assert [run.path for run in read_runs([empty, good])] == [good]
    assert f'note: left out: {empty}: no line of a training' in capsys.readouterr().err
    with pytest.raises(ValueError, match=f'no training in {empty}'):
        read_runs([empty])
    page = good / 'report.html'
    page.touch()
    assert [run.path for run in read_runs([page, good])] == [good]
    assert f'note: left out: {page}: a file, not the ' in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match='missing: no such folder'):
        read_runs([good, 'missing'])


def test_unfinished_and_unreadable(make_run, epochs, capsys):
    path = make_run('x', epochs(1, 2), config='train_cfg = dict(max_epochs=10)')
    assert read_run(path).planned == 10
    assert capsys.readouterr().err == f'note: {path}: unfinished, 2 of 10 epochs\n'
    path = make_run('y', epochs(1, 2), config='train_cfg = dict(')
    assert read_run(path).planned == 2
    assert (
        f'{path}/20260100_000000/vis_data/config.py: cannot' in capsys.readouterr().err
    )


def test_a_config_of_others_is_read_and_not_run(make_run, epochs, tmp_path, capsys):
    program = f'open({str(tmp_path / "trace")!r}, "w")'
    read_run(make_run('x', epochs(1, 1), config=program))
    assert 'no plain value' in capsys.readouterr().err
    assert not (tmp_path / 'trace').exists()


def test_detection_counts_iterations(make_run, detection_lines):
    run = read_run(make_run('x', detection_lines))
    assert (run.unit, run.length) == ('iteration', 200)
    assert run.metrics == ['coco/bbox_mAP', 'coco/bbox_mAP_50']
    assert run.curve('coco/bbox_mAP') == ([100, 200], [0.1, 0.2])
    assert run.curve('loss_cls') == ([50, 100, 150, 200], [1.5] * 4)


def test_seeds_are_grouped_and_settings_are_not(make_run, epochs):
    def config(seed, weight=1, teacher='teacher_seed0/a.pth'):
        return (
            f'randomness = dict(seed={seed})\nwork_dir = "x_seed{seed}"\n'
            f'model = dict(weight={weight}, teacher_ckpt="{teacher}")'
        )

    lines = epochs(1, 1)
    runs = [
        make_run('x_seed0', lines, config=config(0)),
        make_run('x_seed1', lines, config=config(1, teacher='teacher_seed1/a.pth')),
        make_run('x_weight5_seed0', lines, config=config(0, weight=5)),
        make_run('other', lines, config=config(0), config_name='vgg8_8xb8_cifar100'),
    ]
    groups = group_runs([read_run(run) for run in runs])
    assert [[run.path.name for run in group.runs] for group in groups] == [
        ['x_seed0', 'x_seed1'],
        ['x_weight5_seed0'],
        ['other'],
    ]
    # One config in two settings: the work dir tells them apart.
    assert [group.name.rpartition('/')[2] for group in groups] == [
        'x',
        'x_weight5',
        'vgg8_cifar100',
    ]


def test_logging_and_resuming_do_not_part_seeds(make_run, epochs):
    warm_up = 'dict(type="DistillWarmupHook", length={})'
    watching = 'visualizer = dict(vis_backends=[dict(type="TensorboardVisBackend")])'
    configs = [
        f'custom_hooks = [{warm_up.format(20)}]',
        f'custom_hooks = [{warm_up.format(20)}, dict(type="EvalTeacherHook")]\n'
        + watching,
        f'custom_hooks = [{warm_up.format(20)}, dict(type="OldCheckpointHook")]\n'
        'pair = dict(teacher_ckpt="of the base")',
        f'custom_hooks = [{warm_up.format(10)}]',
    ]
    runs = [make_run(f'x{i}', epochs(1, 1), config=c) for i, c in enumerate(configs)]
    assert [len(group.runs) for group in group_runs(read_runs(runs))] == [3, 1]


def test_other_initial_weights_are_another_setting(make_run, epochs):
    configs = [
        'load_from = None\nresume = False',
        'load_from = "x1/epoch_3.pth"\nresume = True',
        'load_from = "pretrained.pth"\nresume = False',
    ]
    runs = [make_run(f'x{i}', epochs(1, 1), config=c) for i, c in enumerate(configs)]
    assert [len(group.runs) for group in group_runs(read_runs(runs))] == [2, 1]


def test_the_teacher_before_the_training_is_not_a_validation(make_run, epochs):
    teacher = {'teacher/accuracy/top1': 72.0, 'step': 0}
    run = read_run(make_run('x', [teacher, *epochs(1, 2, accuracy=50)]))
    assert run.metrics == ['accuracy/top1', 'accuracy/top5']
    assert [line['at'] for line in run.val] == [1, 2]


def test_recorded_seeds_are_grouped(recorded):
    paths = ['student_seed0', 'student_seed1', 'famkd_seed0', 'famkd_seed1']
    groups = group_runs(read_runs([recorded / path for path in paths]))
    assert [(group.name, len(group.runs)) for group in groups] == [
        ('resnet8_digits', 2),
        ('famkd_resnet20_resnet8_digits', 2),
    ]


def test_name_without_a_config_file(make_run, epochs):
    # MMEngine names the config TIMESTAMP.py when it came from no file.
    path = make_run('mine_seed_3', epochs(1, 1), config_name='20260101_120000')
    assert read_run(path).name == 'mine'


@pytest.mark.parametrize(
    ('name', 'short'),
    [
        ('resnet20_1xb64_cifar100', 'resnet20_cifar100'),
        ('kd_a_b_1xb128-24e_cifar100', 'kd_a_b-24e_cifar100'),
        ('mine_1xb8', 'mine'),
        # of a training before famkd 0.2
        ('kd_wrn_40_2_wrn_16_2_1xb64_cifar100', 'kd_wrn-40-2_wrn-16-2_cifar100'),
    ],
)
def test_short_names_keep_the_schedule(name, short):
    assert short_name(name) == short


def test_tools_that_read_logs_import_nothing_heavy(tool):
    folder = Path(tool('analysis_tools/summarize').__file__).parent
    code = (
        'import sys, summarize, plot_curves, plot_gamma\n'
        'heavy = {"torch", "mmengine", "matplotlib", "mmcv"} & set(sys.modules)\n'
        'sys.exit(f"imported: {heavy}" if heavy else 0)'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_recorded_epoch_means(recorded):
    run = read_run(recorded / 'teacher')
    losses = [x['loss'] for x in run.train if x['epoch'] == 2]
    assert len(losses) == 2
    assert run.curve('loss')[1][1] == pytest.approx(mean(losses))
