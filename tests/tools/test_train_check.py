"""``train.py --check``."""

import pytest


def test_a_training_is_looked_at_and_nothing_is_left(
    tool, tiny_runs, tiny_configs, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    options = ['--cfg-options', 'model.distiller.loss.loss_weight=1e6']
    with pytest.raises(SystemExit) as end:
        tool('train').main([str(tiny_configs['famkd']), '--check', *options])
    assert end.value.code == 1
    out = capsys.readouterr().out
    titles = [line[3:] for line in out.splitlines() if line.startswith('## ')]
    assert titles == [
        'Data',
        'Stages',
        'Losses of the first step',
        'Teacher',
        'Time',
        'What looks wrong',
    ]
    assert '- distill.loss_stage1 is ' in out.rpartition('## ')[2]
    assert not list(tmp_path.iterdir())


def test_a_network_alone_is_looked_at_too(tool, tiny_configs, capsys):
    with pytest.raises(SystemExit) as end:
        tool('train').main([str(tiny_configs['student']), '--check'])
    out = capsys.readouterr().out
    assert end.value.code == 0 and out.endswith('## What looks wrong\nnothing\n')
    assert '## Stages' not in out and '## Teacher' not in out


def test_a_mistake_in_the_config_ends_it(tool, tiny_configs, capsys):
    options = ['--cfg-options', 'model.distiller.loss.type=StageMSELos']
    with pytest.raises(SystemExit) as end:
        tool('train').main([str(tiny_configs['famkd']), '--check', *options])
    output = capsys.readouterr()
    assert end.value.code == 2 and '## Data' not in output.out
    assert 'did you mean StageMSELoss' in output.err.splitlines()[-1]
