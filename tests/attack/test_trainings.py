"""Whole trainings with a hostile file: a new case is a line in the table."""

import pytest
from hostile_files import HARMLESS, REFUSED

import famkd.models  # noqa: F401 (takes longer than a case)

# Case of hostile_files.py, options of the training with FILE for it, what is said.
CASES = [
    ('program as a config', '--resume FILE', 'the checkpoint is of another model'),
    ('bomb', '--cfg-options load_from=FILE', 'FILE cannot be read as a checkpoint'),
    (
        'state',
        '--cfg-options model.init_cfg.type=Pretrained model.init_cfg.checkpoint=FILE',
        'FILE is refused: it asks for hostile_files.State',
    ),
    ('text', '--work-dir . --resume', 'is complete, of FILE and those before it'),
    ('folder', '--resume FILE', "--resume: there is no file 'FILE'"),
    ('text', '--work-dir FILE', "work_dir='FILE': FILE is a file, no folder"),
    ('text', '--work-dir FILE/below', "work_dir='FILE/below': FILE is a file"),
]


@pytest.mark.parametrize('case, options, message', CASES)
def test_training(
    case, options, message, tool, tiny_configs, tmp_path, monkeypatch, capsys, limits
):
    trace, file = tmp_path / 'trace', tmp_path / 'evil.pth'
    {**REFUSED, **HARMLESS}[case](file, trace)
    (tmp_path / 'last_checkpoint').write_text('../elsewhere/evil.pth')
    monkeypatch.chdir(tmp_path)
    argv = options.replace('FILE', file.name).split()
    with limits(), pytest.raises((SystemExit, ValueError, OSError)) as error:
        tool('train').main([str(tiny_configs['student']), *argv])
    said = str(error.value) + capsys.readouterr().err
    assert message.replace('FILE', file.name) in said
    assert not trace.exists()
