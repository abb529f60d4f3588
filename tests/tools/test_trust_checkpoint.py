"""No tool runs the code in a checkpoint, unless it is told to trust it."""

import sys
from pathlib import Path

import pytest
import torch

COMMANDS = [
    'train {student} --cfg-options load_from={file} work_dir={out}',
    'train {student} --resume {file} --work-dir {out}',
    'train {famkd} --cfg-options model.teacher_ckpt={file} work_dir={out}',
    'test {student} {file} --work-dir {out}',
    'model_converters/extract_student {file} {out}/student.pth',
    'model_converters/mdistiller_to_famkd {file} {out}/a.pth --arch resnet20',
    'analysis_tools/plot_filters {file} --out {out}/filters.png',
    'analysis_tools/grad_cam image.png --network a {file} --out {out}/cam.png',
    'analysis_tools/show_detections image.png --network a {file} --out {out}/a.png',
    'analysis_tools/show_segmentations a.png --network a {file} --out {out}/a.png',
]


class MakeFile:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def run(tool, tiny_configs, tmp_path, monkeypatch):
    """Function (command): runs a tool on tmp_path/in.pth."""

    def run(command):
        file, out = tmp_path / 'in.pth', tmp_path / 'out'
        name, *argv = command.format(file=file, out=out, **tiny_configs).split()
        folder = Path(tool('train').__file__).parent / Path(name).parent
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setattr(sys, 'argv', [name, *argv])
        tool(name).main()

    return run


def save(tmp_path, extra):
    """A checkpoint of a distillation, with something else in it."""
    content = dict(
        meta=dict(epoch=1, iter=2, extra=extra),
        state_dict={'architecture.fc.weight': torch.zeros(2)},
    )
    torch.save(content, tmp_path / 'in.pth')


@pytest.mark.parametrize('command', COMMANDS, ids=lambda command: command[:40])
def test_code_is_not_run(command, run, tmp_path):
    if 'grad_cam' in command:
        pytest.importorskip('pytorch_grad_cam')
    if 'detections' in command:
        pytest.importorskip('mmdet')
    save(tmp_path, MakeFile(tmp_path / 'trace'))
    message = r'in.pth is refused: it asks for .*Path.*--trust-checkpoint'
    with pytest.raises((SystemExit, ValueError), match=message):
        run(command)
    assert not (tmp_path / 'trace').exists()


def test_a_trusted_file_is_read(run, tmp_path):
    save(tmp_path, tmp_path)  # a path is harmless, but no plain value
    command = 'model_converters/extract_student {file} {out}/student.pth'
    with pytest.raises(SystemExit, match='is refused: it asks for pathlib'):
        run(command)
    run(f'{command} --trust-checkpoint')
    assert (tmp_path / 'out/student.pth').is_file()


def test_trust_in_training_is_for_this_training(run, tmp_path):
    save(tmp_path, tmp_path)
    command = 'train {student} --work-dir {out} --cfg-options load_from={file}'
    # Read, but of another network.
    with pytest.raises(ValueError, match='none of its 1 weights .* fits the model'):
        run(f'{command} train_cfg.max_epochs=1 --trust-checkpoint')
    with pytest.raises(ValueError, match='is refused: it asks for pathlib'):
        run(command)


@pytest.mark.parametrize('key', ['cfg', 'distill_cfg'])
def test_a_config_in_a_checkpoint_is_not_run(key, run, tmp_path):
    trace = tmp_path / 'trace'
    meta = {key: f'model = dict()\nopen({str(trace)!r}, "w")'}
    torch.save(dict(meta=meta, state_dict={}), tmp_path / 'in.pth')
    with pytest.raises((SystemExit, ValueError), match='config'):
        run('analysis_tools/plot_filters {file} --out {out}/filters.png')
    assert not trace.exists()
