"""The whole path with segmentors, on generated masks."""

import shutil

import pytest
from mmengine.config import Config
from PIL import Image
from tiny_recipes import (
    CONFIGS,
    check_parts,
    check_resume,
    check_student,
    logged,
    train,
    write_recipes,
)
from tiny_segmentors import tiny_options, write_masks

pytest.importorskip('mmseg')

NAME = '1xb4-800i_camvid-144x192'
STAGES = [f'distill.loss_stage{i}' for i in range(1, 5)]


@pytest.fixture(scope='module')
def configs(tmp_path_factory):
    """Recipes of CamVid on generated masks, and tiny."""
    folder = tmp_path_factory.mktemp('segmentation')
    write_masks(folder, 'images', 'masks')
    size = {'model.data_preprocessor.size': (48, 64)}
    recipes = {
        'teacher': ('camvid/pspnet_r18-w32_1xb4-2400i_camvid-144x192.py', size),
        'student': (f'camvid/pspnet_r18-w8_{NAME}.py', size),
        'famkd': (
            f'camvid/famkd_pspnet_r18-w32_r18-w8_{NAME}.py',
            {
                'model.architecture.cfg_path': f'{folder}/student.py',
                'model.teacher.cfg_path': f'{folder}/teacher.py',
                'model.teacher_ckpt': f'{folder}/teacher/iter_2.pth',
            },
        ),
    }
    return write_recipes(folder, tiny_options(folder, 2, 1), recipes)


@pytest.fixture(scope='module')
def runs(configs):
    """Work folders of a teacher and of a student distilled from it."""
    return train(configs, 'teacher', 'famkd')


def test_losses_and_iou_are_logged(runs):
    *steps, evaluation = logged(runs['famkd'])
    assert [step['iter'] for step in steps] == [1, 2]
    for step in steps:
        assert all(step[stage] > 0 for stage in STAGES)
        assert step['student.decode.loss_ce'] > 0
        assert step['student.aux.loss_ce'] > 0
    # The weight grows over 100 iterations.
    assert [s['distill_weight'] for s in steps] == pytest.approx([0.01, 0.02])
    assert 0 <= evaluation['mIoU'] <= 100


def test_table_has_the_iou(tool, runs, capsys):
    tool('analysis_tools/summarize').main([str(x) for x in runs.values() if x.is_dir()])
    assert 'mIoU last' in capsys.readouterr().out


def test_checkpoint_holds_student_and_distiller_only(runs):
    check_parts(runs['famkd'])


def test_resume_goes_on_where_it_stopped(runs, configs, tmp_path):
    check_resume(configs['famkd'], runs['famkd'], tmp_path)


def test_student_is_the_same_in_plain_mmseg(runs, configs, tmp_path):
    from mmseg.registry import MODELS

    check_student(configs, runs['famkd'], tmp_path, MODELS)


def test_wrong_masks_stop_the_training(tool, configs, tmp_path):
    data = configs['student'].parent
    for folder in ('images', 'masks'):
        shutil.copytree(data / folder, tmp_path / folder)
    for i in range(6):
        Image.new('L', (80, 60), 30).save(tmp_path / f'masks/{i}.png')
    argv = [str(configs['student']), '--work-dir', str(tmp_path / 'run')]
    root = f'train_dataloader.dataset.data_root={tmp_path}'
    with pytest.raises(ValueError, match=r'\.png.* the value 30, but there are 11 cla'):
        tool('train').main([*argv, '--no-validate', '--cfg-options', root])
    (tmp_path / 'masks/0.png').unlink()
    with pytest.raises(ValueError, match='1 of 6 images have no mask'):
        tool('train').main([*argv, '--no-validate', '--cfg-options', root])


def test_layout_of_cityscapes(tool, configs, tmp_path):
    root = tmp_path / 'cityscapes'
    for split in ('train', 'val'):
        ends = '_leftImg8bit.png', '_gtFine_labelTrainIds.png'
        write_masks(root, f'leftImg8bit/{split}/a', f'gtFine/{split}/a', *ends)
    name = 'famkd_pspnet_r101_r18_4xb4-40k_cityscapes-512x512.py'
    config = Config.fromfile(CONFIGS / 'famkd/cityscapes' / name)
    crops = config.train_dataloader.dataset.pipeline
    crops[2].scale, crops[3].crop_size = (80, 60), (48, 64)
    config.val_dataloader.dataset.pipeline[1].scale = (80, 60)
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.dataset.data_root = str(root)
        loader.update(num_workers=0, persistent_workers=False)
    thin = dict(decode_head=dict(num_classes=19), auxiliary_head=dict(num_classes=19))
    config.model.update(
        architecture=dict(cfg_path=str(configs['student']), **thin),
        teacher=dict(cfg_path=str(configs['teacher']), **thin),
        teacher_ckpt=None,
        allow_random_teacher=True,
        input_shape=(3, 48, 64),
    )
    config.train_cfg.update(max_iters=1, val_interval=1)
    config.merge_from_dict({'default_hooks.logger.interval': 1})
    config.visualizer.name = 'seg-cityscapes'
    config.dump(tmp_path / 'recipe.py')
    run = tmp_path / 'run'
    tool('train').main([str(tmp_path / 'recipe.py'), '--work-dir', str(run)])
    step, evaluation = logged(run)
    assert all(step[stage] > 0 for stage in STAGES)
    assert 'mIoU' in evaluation
