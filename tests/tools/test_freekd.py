"""FreeKD from the teacher to the student, with the tools, on generated shapes."""

from statistics import mean

import pytest
import torch
from same_checkpoints import check_same
from tiny_detectors import network, shapes_options
from tiny_recipes import logged, write_recipes

pytest.importorskip('mmdet')

STEPS = 16


@pytest.fixture(scope='module')
def configs(tmp_path_factory, shapes_coco):
    """The small recipes of BCCD, on shapes and tiny, and a teacher's checkpoint."""
    from mmengine.registry import DefaultScope

    from famkd.models.algorithms.networks import build_network

    folder = tmp_path_factory.mktemp('freekd')
    options = {
        **shapes_options(shapes_coco, STEPS, STEPS // 2),
        'randomness': dict(seed=0),
    }
    teacher = {
        'model.teacher.cfg_path': f'{folder}/teacher.py',
        'model.teacher_ckpt': f'{folder}/teacher.pth',
    }
    recipes = {
        'teacher': ('faster-rcnn_r18-w32_fpn_1xb8-600i', network(8)),
        'student': ('faster-rcnn_r18-w8_fpn_1xb8-600i', network(4)),
        'prompts': ('freekd-prompts_faster-rcnn_r18-w32_fpn_1xb8-500i', teacher),
        'freekd': (
            'freekd_faster-rcnn_r18-w32_r18-w8_fpn_1xb8-600i',
            {
                **teacher,
                'model.architecture.cfg_path': f'{folder}/student.py',
                'model.distiller.prompts': f'{folder}/prompts/iter_{STEPS}.pth',
                'train_cfg': dict(max_iters=2, val_interval=2),
                'default_hooks.checkpoint.interval': 2,
            },
        ),
    }
    recipes = {
        name: (f'bccd/{recipe}_bccd-small.py', changes)
        for name, (recipe, changes) in recipes.items()
    }
    paths = write_recipes(folder, options, recipes)
    with DefaultScope.overwrite_default_scope('mmdet'):
        torch.manual_seed(0)
        detector = build_network(dict(cfg_path=str(paths['teacher'])))
        detector.init_weights()
    torch.save(dict(state_dict=detector.state_dict()), folder / 'teacher.pth')
    return paths


@pytest.fixture(scope='module')
def runs(tool, configs):
    """Work folders of the prompts and of a student distilled with them."""
    folders = {name: path.with_suffix('') for name, path in configs.items()}
    for name, options in (('prompts', ['--eval-teacher']), ('freekd', [])):
        argv = [str(configs[name]), '--work-dir', str(folders[name])]
        tool('train').main([*argv, *options])
    return folders


def test_the_overlap_falls_and_the_task_does_not_suffer(runs):
    teacher, *steps, evaluation = logged(runs['prompts'])
    assert 'teacher/coco/bbox_mAP' in teacher
    assert len(steps) == STEPS
    overlaps = [step['overlap'] for step in steps]
    assert overlaps[-1] < overlaps[0]
    tasks = [step['loss'] - step['loss_overlap'] for step in steps]
    assert mean(tasks[-4:]) < 1.05 * mean(tasks[:4])
    for step in steps:
        for band in ('low', 'level1', 'level2', 'level3'):
            assert 0 < step[f'mask_{band}'] < 1
    assert 'coco/bbox_mAP' in evaluation


def test_the_checkpoint_is_small_and_says_its_teacher(runs, configs):
    from famkd.models.prompt_file import read_prompts

    path = runs['prompts'] / f'iter_{STEPS}.pth'
    content = torch.load(path, weights_only=False)
    assert set(content['state_dict']) == {
        '_extra_state',
        *(f'prompts.{i}.prompt' for i in range(5)),
    }
    prompts, note = read_prompts(str(path))
    assert [tuple(prompt.shape) for prompt in prompts] == [(4, 2, 64)] * 5
    assert note['path'] == str(configs['teacher'].with_suffix('.pth'))
    assert path.stat().st_size < 200_000


def test_resume_goes_on_where_it_stopped(tool, runs, configs, tmp_path):
    checkpoint = runs['prompts'] / f'iter_{STEPS // 2}.pth'
    argv = [str(configs['prompts']), '--work-dir', str(tmp_path)]
    options = ['--no-validate', '--cfg-options', 'visualizer.name=resumed-freekd']
    tool('train').main([*argv, '--resume', str(checkpoint), *options])
    ends = [
        torch.load(folder / f'iter_{STEPS}.pth', weights_only=False)['state_dict']
        for folder in (tmp_path, runs['prompts'])
    ]
    check_same(*ends, 'weights')


def test_the_student_learns_with_the_prompts(runs):
    *steps, evaluation = logged(runs['freekd'])
    for step in steps:
        for i in range(1, 6):
            assert step[f'distill.loss_stage{i}'] > 0
            assert step[f'distill.loss_mse_stage{i}'] > 0
    assert 'coco/bbox_mAP' in evaluation
    content = torch.load(runs['freekd'] / 'iter_2.pth', weights_only=False)
    assert not any('prompt' in key for key in content['state_dict'])


def test_prompts_are_tested_with_their_teacher(tool, runs, configs, tmp_path):
    checkpoint = runs['prompts'] / f'iter_{STEPS}.pth'
    metrics = tool('test').main(
        [str(configs['prompts']), str(checkpoint), '--work-dir', str(tmp_path)]
    )
    *_, evaluation = logged(runs['prompts'])
    assert metrics['coco/bbox_mAP'] == evaluation['coco/bbox_mAP']


def test_a_student_is_tested_under_corruptions(tool, runs, configs, tmp_path, capsys):
    pytest.importorskip('imagecorruptions')
    argv = [str(configs['freekd']), str(runs['freekd'] / 'iter_2.pth')]
    argv += ['--work-dir', str(tmp_path), '--corruptions', 'contrast', 'pixelate']
    metrics = tool('test').main([*argv, '--severities', '5'])
    *_, evaluation = logged(runs['freekd'])
    assert metrics['coco/bbox_mAP'] == evaluation['coco/bbox_mAP']
    assert 0 <= metrics['mPC/coco/bbox_mAP'] <= 1
    printed = capsys.readouterr().out
    assert '| Corruption | 5 ' in printed
    assert '| pixelate ' in printed


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--corruptions', 'contrast', 'fogg'], "--corruptions: corruption='fogg' of"),
        (['--severities', '1'], '--severities: of which corruptions'),
        (['--corruptions', '--show-dir', 'shown'], 'only the last picture would be'),
    ],
)
def test_bad_corruptions(tool, runs, configs, options, message, capsys):
    pytest.importorskip('imagecorruptions')
    argv = [str(configs['freekd']), str(runs['freekd'] / 'iter_2.pth'), *options]
    with pytest.raises(SystemExit):
        tool('test').main(argv)
    assert message in capsys.readouterr().err


def test_masks_are_drawn(tool, runs, configs, shapes_coco, tmp_path):
    image = str(shapes_coco / 'images/0.png')
    prompts = str(runs['prompts'] / f'iter_{STEPS}.pth')
    out = tmp_path / 'masks.png'
    argv = [str(configs['prompts']), image]
    main = tool('analysis_tools/plot_masks').main
    main([*argv, prompts, '--map', '1', '--out', str(out)])
    assert out.stat().st_size > 10_000
    with pytest.raises(SystemExit, match='--map 5: there are 5 maps; choose 0 to 4'):
        main([*argv, prompts, '--map', '5'])
    with pytest.raises(SystemExit, match='is not of this recipe'):
        main([*argv, str(runs['freekd'] / 'iter_2.pth')])


def test_masks_of_another_file(tool, configs, shapes_coco, tmp_path):
    image = str(shapes_coco / 'images/0.png')
    torch.save({1: 'no weights'}, tmp_path / 'a.pth')
    main = tool('analysis_tools/plot_masks').main
    with pytest.raises(SystemExit, match='a.pth is not of this recipe: it holds no'):
        main([str(configs['prompts']), image, str(tmp_path / 'a.pth')])


def test_masks_of_a_recipe_without_test_data(tool):
    from mmengine.config import Config

    with pytest.raises(ValueError, match=r'no test_dataloader\.dataset\.pipeline'):
        tool('analysis_tools/plot_masks').preprocess(None, Config(), 'a.png')
