"""``train.py --eval-teacher``."""

import pytest


def test_option_is_followed(tool, tiny_configs, tiny_runs, tmp_path, capsys):
    options = ['--work-dir', str(tmp_path), '--cfg-options', 'train_cfg.max_epochs=1']
    options += ['train_cfg.val_interval=1']
    tool('train').main([str(tiny_configs['famkd']), '--eval-teacher', *options])
    printed = ''.join(capsys.readouterr())
    assert printed.count('Teacher before training: accuracy') == 1
    # Beside the only validation of the student.
    assert printed.count('The teacher has accuracy/top1: ') == 1


def test_config_without_a_teacher(tool, tiny_configs, capsys):
    with pytest.raises(SystemExit):
        tool('train').main([str(tiny_configs['student']), '--eval-teacher'])
    assert '--eval-teacher: the model of' in capsys.readouterr().err
