"""The whole path: teacher, distillation, resume, test, extracted student, test."""

import json

import pytest
import torch
from mmengine.config import Config


def run_test(tool, config, checkpoint, folder, *options):
    argv = [str(config), str(checkpoint), '--work-dir', str(folder), *options]
    return tool('test').main(argv)


def test_checkpoint_holds_student_and_distiller_only(tiny_runs):
    checkpoint = torch.load(tiny_runs['famkd'] / 'epoch_2.pth', weights_only=False)
    weights = checkpoint['state_dict']
    parts = {key.partition('.')[0] for key in weights}
    assert parts == {'architecture', 'distiller', '_extra_state'}


def test_resume_goes_on_where_it_stopped(tool, tiny_runs, tiny_configs, tmp_path):
    checkpoint = tiny_runs['famkd'] / 'epoch_2.pth'
    argv = [str(tiny_configs['famkd']), '--work-dir', str(tmp_path)]
    more = ['--cfg-options', 'train_cfg.max_epochs=3']
    tool('train').main([*argv, '--resume', str(checkpoint), *more])
    resumed = torch.load(tmp_path / 'epoch_3.pth', weights_only=False)
    assert resumed['meta']['epoch'] == 3
    assert resumed['meta']['iter'] == 6  # two batches an epoch

    more = ['--cfg-options', 'train_cfg.max_epochs=4']
    tool('train').main([*argv, '--resume', 'auto', *more])
    assert torch.load(tmp_path / 'epoch_4.pth', weights_only=False)['meta']['iter'] == 8


def test_amp_and_no_validate_on_the_cpu(tool, tiny_runs, tiny_configs, tmp_path):
    argv = [str(tiny_configs['famkd']), '--work-dir', str(tmp_path)]
    tool('train').main([*argv, '--amp', '--no-validate', '--channels-last'])
    weights = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)['state_dict']
    assert all(v.isfinite().all() for v in weights.values() if v.is_floating_point())
    (log,) = tmp_path.glob('*/vis_data/scalars.json')
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(logged) == 2
    assert not any('accuracy/top1' in line for line in logged)
    [config] = tmp_path.glob('*/vis_data/config.py')
    assert Config.fromfile(config).command.startswith('python ')


def test_infinity_stops_or_is_skipped(tool, tiny_runs, tiny_configs, tmp_path):
    argv = [str(tiny_configs['famkd']), '--work-dir', str(tmp_path), '--no-validate']
    argv += ['--cfg-options', 'model.distiller.loss.loss_weight=1e39']
    with pytest.raises(FloatingPointError) as error:
        tool('train').main(argv)
    assert str(error.value).startswith('iteration 1: distill.loss_stage4 = inf (')
    assert 'default_hooks.runtime.nonfinite=skip' in str(error.value)
    before = torch.load(tmp_path / 'nonfinite_iter_0.pth', weights_only=False)

    tool('train').main([*argv, 'default_hooks.runtime.nonfinite=skip'])
    after = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)
    assert after['meta']['iter'] == 4
    for weights in (before['state_dict'], after['state_dict']):
        assert all(v.isfinite().all() for v in weights.values())


def test_distillation_and_extracted_student_are_tested_alike(
    tool, tiny_runs, tiny_configs, tmp_path
):
    distilled, student = (
        tiny_runs['famkd'] / 'epoch_2.pth',
        tmp_path / 'new/student.pth',
    )
    tool('model_converters/extract_student').main([str(distilled), str(student)])
    # Nothing of the teacher is needed to test a student.
    config = tmp_path / 'no_teacher.py'
    config.write_text(
        f'_base_ = {str(tiny_configs["famkd"])!r}\n'
        'model = dict(teacher=dict(cfg_path="gone.py"), teacher_ckpt="gone.pth")'
    )
    metrics = tmp_path / 'metrics.json'
    out = ['--out', str(metrics), '--out-item', 'metrics']
    inside = run_test(tool, config, distilled, tmp_path, *out)
    assert json.loads(metrics.read_text()) == inside
    assert run_test(tool, config, student, tmp_path) == inside
    assert run_test(tool, tiny_configs['student'], student, tmp_path) == inside
    with_ema = tmp_path / 'ema.py'
    with_ema.write_text(
        f'_base_ = {str(tiny_configs["student"])!r}\n'
        'custom_hooks = [dict(type="EMAHook")]\n'
    )
    assert run_test(tool, with_ema, distilled, tmp_path, '--amp')
    # As EMAHook would have saved it, of the whole distillation.
    checkpoint = torch.load(distilled, weights_only=False)
    average = {f'module.{key}': x for key, x in checkpoint['state_dict'].items()}
    checkpoint['ema_state_dict'] = {**average, 'steps': torch.tensor(2)}
    torch.save(checkpoint, tmp_path / 'averaged.pth')
    assert run_test(tool, with_ema, tmp_path / 'averaged.pth', tmp_path) == inside


def test_config_with_classes_instead_of_names(tool, tiny_runs, tiny_configs, tmp_path):
    distilled = tiny_runs['famkd'] / 'epoch_2.pth'
    config = tmp_path / 'new_style.py'
    config.write_text(
        'from mmengine.config import read_base\n'
        'from mmengine.dataset import DefaultSampler\n'
        'from mmpretrain.datasets import PackInputs, Resize\n'
        'from mmpretrain.evaluation import Accuracy\n'
        'from famkd.datasets import Digits\n'
        'from famkd.models.algorithms import FeatureDistill\n'
        f'model = dict(type=FeatureDistill, architecture=dict(cfg_path='
        f'{str(tiny_configs["student"])!r}), teacher={{}}, distiller={{}})\n'
        'pipeline = [dict(type=Resize, scale=32), dict(type=PackInputs)]\n'
        'test_dataloader = dict(batch_size=30, num_workers=0, '
        'dataset=dict(type=Digits, split="test", num_per_class=3, pipeline=pipeline), '
        'sampler=dict(type=DefaultSampler, shuffle=False))\n'
        'test_evaluator = dict(type=Accuracy)\n'
        'test_cfg = dict()\n'
    )
    expected = run_test(tool, tiny_configs['famkd'], distilled, tmp_path)
    assert run_test(tool, config, distilled, tmp_path) == expected


def test_extracted_student_fits_the_plain_network(
    tool, tiny_runs, tiny_configs, tmp_path
):
    from mmpretrain.apis import get_model
    from mmpretrain.registry import MODELS

    student = tmp_path / 'student.pth'
    extract = tool('model_converters/extract_student')
    extract.main([str(tiny_runs['famkd'] / 'epoch_2.pth'), str(student)])
    # weights_only: nothing but tensors and plain values is left in it
    saved = torch.load(student, weights_only=True)
    config = Config.fromfile(tiny_configs['student'])
    MODELS.build(config.model).load_state_dict(saved['state_dict'], strict=True)
    assert set(saved) == {'meta', 'state_dict'}
    assert saved['meta']['epoch'] == 2
    assert get_model(config, pretrained=str(student))._dataset_meta['classes'][9] == '9'


@pytest.mark.parametrize('config', ['student', 'famkd'])
def test_weights_of_another_model_are_refused(
    tool, tiny_runs, tiny_configs, tmp_path, capsys, config
):
    teacher = tiny_runs['teacher'] / 'epoch_2.pth'
    with pytest.raises(SystemExit):
        run_test(tool, tiny_configs[config], teacher, tmp_path)
    assert 'weights of the model in the config are missing' in capsys.readouterr().err
