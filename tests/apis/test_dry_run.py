"""The parts of ``train.py --check``, on a small distillation."""

import logging
from types import SimpleNamespace

import pytest
import torch

from famkd.apis.dry_run.agreement import check_data_agree
from famkd.apis.dry_run.duration import check_time
from famkd.apis.dry_run.losses import FirstStep, check_losses, first_step
from famkd.apis.dry_run.stages import check_stages
from famkd.apis.dry_run.teacher import check_teacher, leave_other_images_out
from famkd.apis.dry_run.training import ready_runner, training_batches

VALIDATION = dict(
    val_dataloader=dict(
        batch_size=4,
        num_workers=0,
        dataset=dict(
            type='TinyImages',
            length=8,
            size=16,
            num_classes=4,
            pipeline=[dict(type='PackInputs')],
        ),
        sampler=dict(type='DefaultSampler', shuffle=False),
    ),
    val_evaluator=dict(type='Accuracy', topk=(1,)),
    val_cfg=dict(),
)


@pytest.fixture
def ready(make_config, tmp_path):
    """Function (**changes): a runner as before the first step."""
    return lambda **changes: ready_runner(
        None, make_config(launcher='none', **VALIDATION, **changes), str(tmp_path)
    )


def test_pairs_and_losses_of_the_first_step(ready):
    runner = ready()
    step = first_step(runner, training_batches(runner))
    [table], wrong = check_stages(step)
    assert not wrong
    rows = [[x.strip() for x in line.split('|')[1:-1]] for line in table.splitlines()]
    layer = 'backbone.layer1'
    assert rows[2] == ['stage 1', layer, '(8, 16, 16)', layer, '(12, 16, 16)']
    assert rows[5][1:3] == ['neck', '(32, 1, 1)']

    [table], wrong = check_losses(step)
    assert not wrong
    rows = {line.split('|')[1].strip(): line for line in table.splitlines()}
    assert list(rows)[2:4] == ['student.loss', 'task loss']
    assert {f'distill.loss_stage{i}' for i in range(1, 5)} <= set(rows)


def test_first_step_has_the_full_weight_and_changes_no_weight(ready):
    runner = ready(**{'model.distiller.loss.loss_weight': 3.0})
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    step = first_step(runner, training_batches(runner))
    assert all(term.requires_grad for term in step.terms.values())
    assert '_forget_records' not in vars(runner.model)
    assert all(torch.equal(before[k], v) for k, v in runner.model.named_parameters())


def test_large_and_small_terms_look_wrong():
    feature = torch.ones(3, requires_grad=True)
    step = FirstStep(
        task={'student.loss': feature.sum()},
        terms={
            'distill.loud': 200 * feature.sum(),
            'distill.steep': 2000 * feature.sum() - 5999,
            'distill.demo': 200 * feature.sum() - 599,
            'distill.faint': 1e-5 * feature.sum(),
            'distill.good': 2 * feature.sum(),
            'distill.broken': feature.sum() * float('nan'),
        },
        features={'stage1': feature},
    )
    [table], wrong = check_losses(step)
    [good] = [line for line in table.splitlines() if 'good' in line]
    assert [x.strip() for x in good.split('|')[2:-1]] == ['6', '3.46', '2']
    loud, steep, faint, broken = wrong
    assert loud.startswith('distill.loud is 200 times the task loss')
    assert steep.startswith('distill.steep pulls 2e+03 times as hard')
    assert faint.startswith('distill.faint pulls 1e-05 times as hard')
    assert broken == 'distill.broken is nan'


def test_terms_without_a_task_loss_are_compared_with_nothing():
    feature = torch.ones(3, requires_grad=True)
    terms = {'distill.only': 1e6 * feature.sum()}
    [table], wrong = check_losses(FirstStep({}, terms, {'stage1': feature}))
    assert [x.strip() for x in table.splitlines()[2].split('|')[1:-1]] == [
        *('distill.only', '3e+06', '1.73e+06', '-')
    ]
    assert not wrong


def test_stages_of_other_sizes_look_wrong():
    pairs = [
        (('layer1', (8, 16, 16)), ('layer1', (8, 8, 16))),
        (('layer2', (8, 16, 17)), ('layer3', (8, 16, 8))),
    ]
    _, wrong = check_stages(FirstStep({}, {}, pairs=pairs))
    assert wrong == [
        'stage 2 pairs a map of 16x17 of the student with one of 16x8 of the teacher: '
        'name stages of like sizes in student_stages and teacher_stages'
    ]


def test_teacher_on_a_sample(ready, monkeypatch):
    monkeypatch.setattr('famkd.apis.dry_run.teacher.IMAGES', 5)
    runner = ready()
    [line], _ = check_teacher(runner)
    assert line.startswith('accuracy/top1: ')
    assert line.endswith('(on 5 of 8 images of the validation)')
    assert runner.model.training


def test_teacher_without_a_head_has_no_metric(ready):
    runner = ready()
    runner.model.teacher.head = None
    assert check_teacher(runner) == (['it has no head, and so no metric'], [])


def test_teacher_that_guesses_looks_wrong(ready):
    runner = ready()
    head = runner.model.teacher.head.fc
    head.weight.data.zero_()
    head.bias.data[:] = torch.tensor([1.0, 0, 0, 0])  # always the first class
    _, [wrong] = check_teacher(runner)
    assert wrong.startswith('the teacher has accuracy/top1 = 25, hardly more than')
    assert 'model.teacher_ckpt' in wrong


@pytest.mark.parametrize(
    'classes, value, is_wrong',
    [(2, 95.0, False), (2, 60.0, True), (10, 25.0, False), (None, 60.0, False)],
)
def test_what_guessing_reaches_is_known_by_the_classes(
    classes, value, is_wrong, ready, monkeypatch
):
    runner = ready()
    data = runner.val_loop.dataloader.dataset
    names = classes and [str(i) for i in range(classes)]
    monkeypatch.setattr(data, '_metainfo', dict(classes=names))  # else the teacher's, 4
    evaluate = lambda size: {'accuracy/top1': value}  # noqa: E731
    monkeypatch.setattr(runner.val_loop.evaluator, 'evaluate', evaluate)
    _, wrong = check_teacher(runner)
    assert bool(wrong) == is_wrong


def test_a_config_without_a_visualizer_is_ready_and_warnings_are_shown(ready):
    assert ready(visualizer=None).logger.isEnabledFor(logging.WARNING)


def test_other_images_do_not_count_in_the_metrics_of_coco():
    coco = SimpleNamespace(imgs={1: 'a', 2: 'b', 3: 'c'})
    results = [(dict(img_id=2), {}), (dict(img_id=3), {})]
    detection = SimpleNamespace(_coco_api=coco, results=results)
    leave_other_images_out([detection, SimpleNamespace(results=[1])])
    assert coco.imgs == {2: 'b', 3: 'c'}


def test_data_and_networks(ready):
    lines, wrong = check_data_agree(ready())
    assert lines == [
        'training: 12 images',
        'validation: 8 images',
        'classes: training data 4, validation data 4, student 4, teacher 4',
        'normalisation: the same for both networks',
    ]
    assert not wrong
    classes = {
        f'{split}_dataloader.dataset.num_classes': n
        for split, n in (('train', 3), ('val', 2))
    }
    _, [counts, names] = check_data_agree(ready(**classes))
    assert counts.startswith('the numbers of classes differ: training data 3, ')
    assert names == 'training and validation data have other classes'


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(batch_size=32, drop_last=True), 'train_dataloader gives no batch'),
        (dict(batch_size=1), 'gives a batch of one image'),
        (dict(dataset=dict(num_classes=9)), r'a label of the first batch is \d, but'),
    ],
)
def test_what_stops_a_training_stops_the_check(changes, message, ready):
    runner = ready(train_dataloader=changes)
    with pytest.raises(ValueError, match=message):
        first_step(runner, training_batches(runner))


def test_time_of_the_training(ready, monkeypatch):
    # Three batches an epoch, and endless, as detectors draw them.
    runner = ready(**{'train_dataloader.sampler.type': 'InfiniteSampler'})
    batches = training_batches(runner)
    first_step(runner, batches)
    monkeypatch.setattr('famkd.apis.dry_run.duration.STEPS', 2)
    lines, wrong = check_time(runner, batches)
    assert lines[0].startswith('step: ') and 'median of 2' in lines[0]
    assert 'GiB' in lines[1]
    assert lines[2].startswith('training: 6 steps, ')
    assert not wrong
