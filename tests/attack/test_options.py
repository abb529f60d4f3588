"""Wrong options of a training end in one error: a new case is a line in the table."""

import pytest

# Options after the recipe, and what the error says.
CASES = [
    ('--cfg-options lr', "'lr' is not KEY=VALUE"),
    ('--cfg-options trian_cfg.max_epochs=1', 'did you mean train_cfg'),
    ('--cfg-options optim_wrapper.optimizer.lr=abc', "lr='abc' must be a number"),
    ('--cfg-options default_hooks.checkpoint.intervall=2', 'did you mean interval?'),
    ('--cfg-options model.distiller.loss.type=StageMSELos', 'mean StageMSELoss'),
    ('--cfg-options train_dataloader.batch_size=0', 'number of at least 1'),
    ('--cfg-options model.teacher_ckpt=gone.pth', 'train the teacher first'),
    ('--cfg-options model.teacher.cfg_path=gone.py', 'there is no '),
    ('--cfg-options custom_hooks=[Hook(a=1,b=2)]', 'its brackets are no lists'),
    ('--cfg-options custom_hooks=[dict(type=Hook)]', 'with all text in quotes'),
    ('--cfg-options load_from=gone.pth', "load_from='gone.pth': there is no such file"),
    ('--resume gone.pth', "there is no file 'gone.pth'"),
    ('--launcher ssh', "invalid choice: 'ssh'"),
]


@pytest.mark.parametrize('options, message', CASES, ids=[case for case, _ in CASES])
def test_wrong_option(
    options, message, tool, tiny_configs, tmp_path, monkeypatch, capsys, limits
):
    monkeypatch.chdir(tmp_path)
    with limits(), pytest.raises(SystemExit) as end:
        tool('train').main([str(tiny_configs['famkd']), *options.split()])
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
