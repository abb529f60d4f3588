"""The whole path with detectors, on images of several sizes."""

from pathlib import Path

import pytest
import torch
from same_checkpoints import check_same
from tiny_detectors import logged, network, shapes_options

pytest.importorskip('mmdet')

CONFIGS = Path(__file__).parents[2] / 'configs'
STAGES = [f'distill.loss_stage{i}' for i in range(1, 6)]


@pytest.fixture(scope='module')
def configs(tmp_path_factory, shapes_coco):
    """The small recipes of BCCD, on shapes and tiny."""
    from mmengine.config import Config

    folder = tmp_path_factory.mktemp('detection')
    options = shapes_options(shapes_coco, iterations=2, interval=1)
    paths = {name: folder / f'{name}.py' for name in ('teacher', 'student', 'famkd')}
    recipes = {
        'teacher': ('faster-rcnn_r18-w32_fpn_1xb8-600i_bccd-small.py', network(16)),
        'student': ('faster-rcnn_r18-w8_fpn_1xb8-600i_bccd-small.py', network(8)),
        'famkd': (
            'famkd_faster-rcnn_r18-w32_r18-w8_fpn_1xb8-600i_bccd-small.py',
            {
                'model.architecture.cfg_path': str(paths['student']),
                'model.teacher.cfg_path': str(paths['teacher']),
                'model.teacher_ckpt': f'{folder}/teacher/iter_2.pth',
            },
        ),
    }
    for name, (recipe, changes) in recipes.items():
        config = Config.fromfile(CONFIGS / 'bccd' / recipe)
        # Visualizers are known by their names: one for each run, to log in its folder.
        changes['visualizer.name'] = name
        config.merge_from_dict({**options, **changes})
        config.dump(paths[name])
    return paths


@pytest.fixture(scope='module')
def runs(tool, configs):
    """Work folders of a teacher and of a student distilled from it."""
    folders = {name: path.with_suffix('') for name, path in configs.items()}
    for name in ('teacher', 'famkd'):
        argv = [str(configs[name]), '--work-dir', str(folders[name])]
        tool('train').main([*argv, '--cfg-options', 'randomness.seed=0'])
    return folders


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
    weights = torch.load(runs['famkd'] / 'iter_2.pth', weights_only=False)['state_dict']
    parts = {key.partition('.')[0] for key in weights}
    assert parts == {'architecture', 'distiller', '_extra_state'}


def test_resume_goes_on_where_it_stopped(tool, runs, configs, tmp_path):
    checkpoint = runs['famkd'] / 'iter_1.pth'
    argv = [str(configs['famkd']), '--work-dir', str(tmp_path)]
    options = ['--no-validate', '--cfg-options', 'visualizer.name=resumed-detection']
    tool('train').main([*argv, '--resume', str(checkpoint), *options])
    (step,) = logged(tmp_path)
    assert step['iter'] == 2
    assert step['distill_weight'] == pytest.approx(0.02)
    resumed = torch.load(tmp_path / 'iter_2.pth', weights_only=False)
    assert resumed['meta']['iter'] == 2
    whole = torch.load(runs['famkd'] / 'iter_2.pth', weights_only=False)
    check_same(resumed['state_dict'], whole['state_dict'], 'weights')


def test_student_is_the_same_in_plain_mmdet(tool, runs, configs, tmp_path):
    from mmdet.registry import MODELS
    from mmengine.config import Config

    distilled, student = runs['famkd'] / 'iter_2.pth', tmp_path / 'student.pth'
    argv = ['--work-dir', str(tmp_path)]
    inside = tool('test').main([str(configs['famkd']), str(distilled), *argv])
    tool('model_converters/extract_student').main([str(distilled), str(student)])
    outside = tool('test').main([str(configs['student']), str(student), *argv])
    assert outside == inside

    network = MODELS.build(Config.fromfile(configs['student']).model)
    content = torch.load(student, weights_only=False)
    network.load_state_dict(content['state_dict'], strict=True)


def test_wrong_annotations_stop_the_training(tool, configs, tmp_path):
    argv = [str(configs['student']), '--work-dir', str(tmp_path), '--cfg-options']
    with pytest.raises(ValueError, match="does not know: 'disc'"):
        tool('train').main(
            [*argv, 'train_dataloader.dataset.metainfo.classes=("box",)']
        )
