from statistics import mean

import pytest
from matplotlib import pyplot
from tool_fixtures import load_tool

from famkd.apis.runs import group_runs, read_run, read_runs

TOOL = load_tool('analysis_tools/plot_curves')
default_panels = TOOL.default_panels
main = TOOL.main
plot_curves = TOOL.plot_curves


def test_panels_of_a_student_alone_and_distilled(recorded):
    assert default_panels(read_run(recorded / 'student_seed0')) == {
        'accuracy/top1': 'accuracy/top1',
        'loss (without distillation)': 'loss',
    }
    assert default_panels(read_run(recorded / 'famkd_seed0')) == {
        'accuracy/top1': 'accuracy/top1',
        'loss (without distillation)': 'student.loss',
        **{key: key for key in (f'distill.loss_stage{i}' for i in range(1, 5))},
    }


def test_means_of_seeds_are_drawn_and_the_teacher_is_a_line(recorded):
    experiments = group_runs(read_runs(sorted(recorded.glob('*/'))))
    figure = plot_curves(experiments)
    axes = {ax.get_title(): ax for ax in figure.axes if ax.axison}
    assert list(axes)[:3] == [
        'top-1 accuracy (%)',
        'loss (without distillation)',
        'distill.loss_stage1',
    ]
    assert len(axes) == 6
    accuracy = axes['top-1 accuracy (%)']
    famkd, student, teacher = accuracy.lines
    for line, experiment in ((famkd, experiments[0]), (student, experiments[1])):
        values = zip(
            *(run.curve('accuracy/top1')[1] for run in experiment.runs), strict=True
        )
        assert list(line.get_ydata()) == pytest.approx([mean(x) for x in values])
    assert len(accuracy.collections) == 2  # the bands
    last = experiments[2].runs[0].curve('accuracy/top1')[1][-1]
    assert set(teacher.get_ydata()) == {last}
    assert all(ax.get_xlabel() == 'epoch' for ax in axes.values())
    assert len(axes['distill.loss_stage3'].lines) == 1
    assert [text.get_text() for text in figure.legends[0].texts] == [
        'FAM-KD (2 runs)',
        'student alone (2 runs)',
        'teacher',
    ]
    pyplot.close(figure)


def test_teacher_that_was_evaluated_before_the_training(make_run, epochs):
    evaluated = {'teacher/accuracy/top1': 72.0, 'step': 0}
    run = read_run(make_run('x', [evaluated, *epochs(1, 2, accuracy=50)]))
    figure = plot_curves(group_runs([run]), ['accuracy/top1'])
    curve, teacher = figure.axes[0].lines
    assert list(curve.get_ydata()) == [51, 52]
    assert set(teacher.get_ydata()) == {72.0}
    pyplot.close(figure)


def test_files(recorded, tmp_path, capsys):
    out = [str(tmp_path / f'curves.{kind}') for kind in ('png', 'svg')]
    main([str(recorded / 'student_seed0'), *(f'--out={file}' for file in out)])
    assert pyplot.imread(out[0]).shape[1] == 1600
    assert '<svg' in open(out[1]).read()
    assert capsys.readouterr().out.splitlines() == [f'wrote {file}' for file in out]


def test_detection_and_chosen_keys(make_run, detection_lines):
    run = read_run(make_run('x', detection_lines))
    assert list(default_panels(run)) == [
        'coco/bbox_mAP',
        'loss (without distillation)',
        'loss_cls',
    ]
    figure = plot_curves(group_runs([run]), ['coco/bbox_mAP_50', 'loss_cls'])
    assert [ax.get_title() for ax in figure.axes] == ['box AP50 (0 to 1)', 'loss_cls']
    assert figure.axes[0].get_xlabel() == 'iteration'
    pyplot.close(figure)


def test_errors(make_run, detection_lines, epochs):
    by_iteration = str(make_run('a', detection_lines))
    by_epoch = str(make_run('b', epochs(1, 2)))
    with pytest.raises(SystemExit, match='/b counts epochs and .*/a iterations'):
        main([by_iteration, by_epoch])
    with pytest.raises(SystemExit, match='--key lost: in no log; there: loss, time'):
        main([by_epoch, '--key', 'lost'])
