"""Recipes that the tool writes: they train, and bad input gets one clear error."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture
def write(tool, tiny_configs, tmp_path):
    """Function (*options): the path of the recipe for a pair of tiny networks."""

    def write(*options, **changes):
        given = {
            'teacher': tiny_configs['teacher'],
            'student': tiny_configs['student'],
            'method': 'famkd',
            'out': tmp_path / 'recipe.py',
            **changes,
        }
        argv = [str(x) for key, value in given.items() for x in (f'--{key}', value)]
        tool('new_recipe').main([*argv, *options])
        return given['out']

    return write


@pytest.mark.parametrize('method', ['famkd', 'kd'])
def test_recipe_trains(method, write, tool, tmp_path):
    recipe = write(method=method)
    assert len(recipe.read_text().splitlines()) < 60
    options = ['model.teacher_ckpt=None', 'model.allow_random_teacher=True']
    work_dir = tmp_path / 'run'
    argv = [str(recipe), '--work-dir', str(work_dir)]
    options += ['train_cfg.max_epochs=1', 'default_hooks.logger.interval=1']
    tool('train').main([*argv, '--cfg-options', *options])
    (path,) = work_dir.glob('*/vis_data/scalars.json')
    first = json.loads(path.read_text().splitlines()[0])
    terms = [key for key in first if key.startswith('distill.')]
    assert len(terms) == (1 if method == 'kd' else 4)
    assert all(first[term] > 0 for term in terms)


def test_what_is_written(write, tiny_configs):
    cfg = Config.fromfile(write('--weight', '3', '--teacher-ckpt', 'mine.pth'))
    stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck']
    assert cfg.model.distiller.student_stages == stages
    assert cfg.model.distiller.teacher_stages == stages
    assert cfg.model.distiller.loss.loss_weight == 3
    assert cfg.model.teacher_ckpt == 'mine.pth'
    assert cfg.model.architecture == dict(cfg_path=str(tiny_configs['student']))
    assert cfg.model.input_shape == (3, 32, 32)
    # Data and schedule are the student's; the warm-up fits its two epochs.
    assert cfg.train_dataloader.dataset.type == 'Digits'
    assert cfg.custom_hooks[0] == dict(type='DistillWarmupHook', length=1)


def test_a_loss_alone_takes_maps_or_the_stages_of_its_method(write, tmp_path):
    stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3']
    distiller = Config.fromfile(write(method='dct_kd')).model.distiller
    assert distiller.student_stages == distiller.teacher_stages == stages
    other = write(method='pkt', out=tmp_path / 'pkt.py')
    assert Config.fromfile(other).model.distiller.stages == ['neck']


def test_imports_and_hooks_of_the_student_stay(write, tmp_path, tiny_configs):
    config = tmp_path / 'more.py'
    config.write_text(
        f'_base_ = {str(tiny_configs["student"])!r}\n'
        'custom_imports = dict(_delete_=True, imports=["json", "famkd.datasets"])\n'
        'custom_hooks = [dict(type="EMAHook")]'
    )
    cfg = Config.fromfile(write(student=config))
    assert cfg.custom_imports.imports == [
        'json',
        'famkd.datasets',
        'famkd.models',
        'famkd.engine',
    ]
    names = [hook.type for hook in cfg.custom_hooks]
    assert names == ['EMAHook', 'DistillWarmupHook', 'GammaLogHook']
    # Another file: one that is written anew within a moment may be read as it was.
    other = tmp_path / 'without_hooks.py'
    other.write_text(config.read_text() + '\ncustom_hooks = None')
    cfg = Config.fromfile(write(student=other, out=tmp_path / 'none.py'))
    names = [hook.type for hook in cfg.custom_hooks]
    assert names == ['DistillWarmupHook', 'GammaLogHook']


def test_recipe_of_a_foreign_student_and_large_maps(write, capsys):
    student = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
    cfg = Config.fromfile(
        write('--input-size', '384', '512', student=student, teacher=student)
    )
    assert cfg.default_hooks.checkpoint.max_keep_ckpts == 2
    assert cfg.default_hooks.checkpoint.save_best == 'auto'
    assert cfg.custom_imports.imports == ['famkd.models', 'famkd.engine']
    # The fixed filters would be many times the student.
    assert cfg.model.distiller.head.type == 'DynamicFAMHead'
    output = capsys.readouterr().out
    assert 'M parameters, the student has 11.7 M: DynamicFAMHead is taken' in output
    assert 'GB in training' in output


def test_checkpoint_of_the_teacher(write, tmp_path):
    path = write()
    assert Config.fromfile(path).model.teacher_ckpt == 'work_dirs/teacher/epoch_2.pth'
    path = write(
        teacher='mmpretrain::resnet/resnet18_8xb32_in1k.py',
        method='kd',
        out=tmp_path / 'other.py',
    )
    url = Config.fromfile(path).model.teacher_ckpt
    assert url.startswith('https://') and 'resnet18_8xb32_in1k' in url


def test_warmup_of_a_published_setting(write):
    pair = dict.fromkeys(
        ['teacher', 'student'], 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
    )
    options = ['--dataset', 'imagenet', '--input-size', '64']
    cfg = Config.fromfile(write(*options, **pair))
    assert [hook.type for hook in cfg.custom_hooks] == [
        'DistillWarmupHook',
        'GammaLogHook',
    ]
    assert cfg.custom_hooks[0].length == 1


def test_recipe_on_a_published_base(write):
    teacher = 'famkd::vanilla/cifar100/vgg8_1xb64_cifar100.py'
    student = 'famkd::vanilla/cifar100/resnet20_1xb64_cifar100.py'
    path = write(
        '--dataset', 'cifar100', teacher=teacher, student=student, method='reviewkd'
    )
    assert len(path.read_text().splitlines()) < 35
    cfg = Config.fromfile(path)
    assert cfg.train_cfg.max_epochs == 240
    assert cfg.model.distiller.loss.type == 'HCLLoss'
    assert cfg.model.distiller.teacher_stages[0] == 'backbone.stem'
    assert cfg.custom_hooks[0].length == 20


@pytest.mark.parametrize('dataset', [[], ['--dataset', 'coco']])
def test_levels_of_an_fpn(dataset, write):
    pytest.importorskip('mmdet')
    student = 'famkd::bccd/faster-rcnn_r18-w8_fpn_1xb8-600i_bccd-small.py'
    options = [*dataset, '--input-size', '96', '128']
    pair = dict(student=student, teacher=student, method='famkd')
    cfg = Config.fromfile(write(*options, **pair))
    assert not cfg.model.distiller.head.with_relu  # the form for an FPN
    assert cfg.model.input_shape == (3, 96, 128)
    assert [stage.data_idx for stage in cfg.model.distiller.student_stages] == [
        *range(5)
    ]
    length = 1000 if dataset else 50
    assert cfg.custom_hooks[0] == dict(
        type='DistillWarmupHook', length=length, by_epoch=False
    )
    classes = cfg.train_dataloader.dataset.get('metainfo', {}).get('classes')
    assert (classes is None) == bool(dataset)


def test_kd_compares_the_pixels_of_segmentors(write):
    pytest.importorskip('mmseg')
    student = 'famkd::camvid/pspnet_r18-w8_1xb4-800i_camvid-144x192.py'
    path = write(teacher=student, student=student, method='kd')
    distiller = Config.fromfile(path).model.distiller
    assert distiller.student_recorders.logits.source == 'decode_head.conv_seg'
    assert distiller.distill_losses.loss_kl.type == 'PixelWiseDivergence'


def test_freekd_takes_the_prompts_of_the_teacher(write):
    pytest.importorskip('mmdet')
    networks = dict(
        teacher='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py',
        student='mmdet::retinanet/retinanet_r18_fpn_1x_coco.py',
    )
    cfg = Config.fromfile(write('--weight', '3', method='freekd', **networks))
    distiller = cfg.model.distiller
    assert len(distiller.student_stages) == 5
    assert distiller.loss_weight == 3
    assert distiller.prompts == (
        'work_dirs/freekd-prompts_retinanet_r50_fpn_1x_coco/iter_2000.pth'
    )


def test_prompts_are_for_freekd(write, capsys):
    with pytest.raises(SystemExit):
        write('--prompts', 'prompts.pth')
    assert '--prompts: famkd has none; leave it out' in capsys.readouterr().err


def test_segmentors(write, tmp_path):
    pytest.importorskip('mmseg')
    name = f'{CONFIGS}/camvid/pspnet_r18-{{}}_camvid-144x192.py'
    networks = dict(
        teacher=name.format('w32_1xb4-2400i'), student=name.format('w8_1xb4-800i')
    )
    cfg = Config.fromfile(write(method='famkd', **networks))
    stages = [dict(source='backbone', data_idx=i) for i in range(4)]
    assert cfg.model.distiller.student_stages == stages
    assert cfg.model.distiller.teacher_stages == stages
    assert cfg.data_preprocessor is None  # but the student's, with the size of crops
    assert cfg.model.input_shape == (3, 144, 192)
    assert cfg.model.teacher_ckpt.endswith('1xb4-2400i_camvid-144x192/iter_2400.pth')
    path = write(method='freekd', out=tmp_path / 'freekd.py', **networks)
    distiller = Config.fromfile(path).model.distiller
    assert distiller.stages == ['backbone.layer4']
    assert distiller.prompts.startswith('work_dirs/freekd-prompts_pspnet_r18-w32')


def test_given_image_size(write):
    cfg = Config.fromfile(write('--input-size', '16', '24'))
    assert cfg.model.input_shape == (3, 16, 24)


# Bad input.


@pytest.fixture
def error(write, capsys):
    """Function (*options): the message with which the tool stops."""

    def error(*options, **changes):
        with pytest.raises(SystemExit):
            write(*options, **changes)
        return capsys.readouterr().err

    return error


def test_unknown_network(error):
    teacher = 'famkd::vanilla/cifar100/resnet57_1xb64_cifar100.py'
    message = error(teacher=teacher)
    assert f'--teacher: there is no config {teacher!r}' in message
    assert 'near names: famkd::vanilla/cifar100/resnet56_1xb64_cifar100.py' in message
    assert "--student: there is no config 'no::such.py'" in error(student='no::such.py')


def test_config_of_no_network(error, tiny_configs):
    message = error(teacher=tiny_configs['famkd'])
    assert "famkd.py' is not the config of a network (no backbone)" in message


def test_a_student_without_a_training(error, tiny_configs, tmp_path):
    config = Config.fromfile(tiny_configs['student'])
    config = Config(dict(model=config.model, default_scope=config.default_scope))
    config.dump(tmp_path / 'model.py')
    message = error(student=tmp_path / 'model.py')
    assert "model.py' has no train_cfg" in message and '--dataset' in message


def test_numbers_that_make_no_sense(error):
    assert '--weight: nan must be a number of at least 0' in error('--weight', 'nan')
    assert '--input-size: give a height' in error('--input-size', '32', '32', '3')


def test_unknown_method(error):
    message = error(method='famkt')
    assert "--method: invalid choice: 'famkt'" in message
    assert 'fam_reviewkd' in message
    message = error(method='mse')
    assert "'mse' has no form for networks of mmpretrain; there is mse_fpn" in message


def test_unknown_dataset(error):
    message = error('--dataset', 'cifar1000')
    assert "no recipes for 'cifar1000'; choose one of " in message
    assert ' cifar100, ' in message
    message = error('--dataset', 'coco')
    assert "'coco' is for networks of mmdet, the student is of mmpretrain" in message


def test_method_for_an_fpn_needs_one(error):
    message = error(method='famkd_fpn')
    assert '--student: it has no neck with several outputs' in message


def test_connectors_beyond_the_memory(error, monkeypatch):
    monkeypatch.setattr('famkd.apis.recipes.connectors.available_memory', lambda: 1000)
    message = error()
    assert '--method: its connectors would have' in message
    assert 'give a smaller --input-size or another method' in message


def test_pair_without_stages(error, tmp_path, tiny_configs):
    config = tmp_path / 'large_maps.py'
    config.write_text(
        f'_base_ = {str(tiny_configs["student"])!r}\n'
        'model = dict(backbone=dict(_delete_=True, type="torch.nn.Conv2d", '
        'in_channels=3, out_channels=4, kernel_size=1), neck=None)\n'
    )
    message = error('--input-size', '65', student=config)
    assert '--student: no module of it gives a map for an image of (3, 65' in message


def test_pipeline_that_does_not_tell_the_size(error, tmp_path, tiny_configs):
    config = tmp_path / 'odd.py'
    config.write_text(
        f'_base_ = {str(tiny_configs["student"])!r}\n'
        'train_dataloader = dict(dataset=dict(pipeline=[dict(type="NoSuchStep")]))'
    )
    message = error(student=config)
    assert '--input-size: give it, since the training pipeline does not tell' in message


def test_file_that_exists(write, error):
    path = write()
    assert 'recipe.py exists; delete it or name another' in error()
    assert "--out: [Errno 17] File exists: '" in error(out=path / 'below.py')
