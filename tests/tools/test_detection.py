"""The whole path with detectors, on images of several sizes."""

import pytest
from tiny_detectors import network, shapes_options
from tiny_recipes import (
    check_parts,
    check_resume,
    check_student,
    logged,
    train,
    write_recipes,
)

pytest.importorskip('mmdet')

NAME = '1xb8-600i_bccd-small'
STAGES = [f'distill.loss_stage{i}' for i in range(1, 6)]


@pytest.fixture(scope='module')
def configs(tmp_path_factory, shapes_coco):
    """The small recipes of BCCD, on shapes and tiny."""
    folder = tmp_path_factory.mktemp('detection')
    recipes = {
        'teacher': (
            f'bccd/faster-rcnn_r18-w32_fpn_{NAME}.py',
            network(16),
        ),
        'student': (f'bccd/faster-rcnn_r18-w8_fpn_{NAME}.py', network(8)),
        'famkd': (
            f'bccd/famkd_faster-rcnn_r18-w32_r18-w8_fpn_{NAME}.py',
            {
                'model.architecture.cfg_path': f'{folder}/student.py',
                'model.teacher.cfg_path': f'{folder}/teacher.py',
                'model.teacher_ckpt': f'{folder}/teacher/iter_2.pth',
            },
        ),
    }
    options = shapes_options(shapes_coco, iterations=2, interval=1)
    return write_recipes(folder, options, recipes)


@pytest.fixture(scope='module')
def runs(configs):
    """Work folders of a teacher and of a student distilled from it."""
    return train(configs, 'teacher', 'famkd')


def test_losses_and_precision_are_logged(runs):
    *steps, evaluation = logged(runs['famkd'])
    assert [step['iter'] for step in steps] == [1, 2]
    for step in steps:
        assert all(step[stage] > 0 for stage in STAGES)
        assert step['student.loss_cls'] > 0
    # The weight grows over 100 iterations.
    assert [s['distill_weight'] for s in steps] == pytest.approx([0.01, 0.02])
    assert 'coco/bbox_mAP' in evaluation
    assert 'coco/disc_precision' in evaluation


def test_checkpoint_holds_student_and_distiller_only(runs):
    check_parts(runs['famkd'])


def test_resume_goes_on_where_it_stopped(runs, configs, tmp_path):
    check_resume(configs['famkd'], runs['famkd'], tmp_path)
    (step,) = logged(tmp_path)
    assert step['distill_weight'] == pytest.approx(0.02)


def test_student_is_the_same_in_plain_mmdet(runs, configs, tmp_path):
    from mmdet.registry import MODELS

    check_student(configs, runs['famkd'], tmp_path, MODELS)


def test_bfloat16_on_the_cpu(runs, configs, tmp_path, tool):
    argv = [str(configs['teacher']), '--work-dir', str(tmp_path), '--no-validate']
    options = ['randomness.seed=0', 'train_cfg.max_iters=1', 'visualizer.name=amp']
    tool('train').main([*argv, '--amp', '--cfg-options', *options])
    (step,) = logged(tmp_path)
    expected, *_ = logged(runs['teacher'])
    assert 0 < abs(step['loss'] - expected['loss']) < 0.01 * expected['loss']


def test_wrong_annotations_stop_the_training(tool, configs, tmp_path):
    argv = [str(configs['student']), '--work-dir', str(tmp_path), '--cfg-options']
    with pytest.raises(ValueError, match="does not know: 'disc'"):
        tool('train').main(
            [*argv, 'train_dataloader.dataset.metainfo.classes=("box",)']
        )
