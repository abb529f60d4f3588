"""The scripts of tools/, and tiny recipes for them."""

import contextlib
import importlib.util
import io
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[1] / 'tools'


@cache
def load_tool(name: str) -> ModuleType:
    """A script of tools/ as a module, by its path in there, without '.py'."""
    # Not by a plain import: 'test' is a module of Python's own.
    spec = importlib.util.spec_from_file_location(
        f'tools_{Path(name).name}', TOOLS / f'{name}.py'
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def tool():
    """Imports a script of tools/ by its path in there, without '.py'."""
    return load_tool


def run_script(script: Path, *arguments: object) -> subprocess.CompletedProcess:
    """Runs a script as its own program, but in this process.

    Its exit status is 1 where it ends with a message, which is its ``stderr``.
    """
    printed, status = io.StringIO(), None
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(sys, 'argv', [str(script), *map(str, arguments)])
        patch.syspath_prepend(Path(script).parent)
        try:
            runpy.run_path(str(script), run_name='__main__')
        except SystemExit as end:
            status = end.code
    is_text = isinstance(status, str)
    return subprocess.CompletedProcess(
        [script, *arguments],
        1 if is_text else status or 0,
        printed.getvalue(),
        status if is_text else '',
    )


@pytest.fixture
def no_processes(monkeypatch):
    """Scripts that are started run here: a process would import everything again."""
    start = subprocess.run

    def run(command, **options):
        if command[0] == sys.executable and str(command[1]).endswith('.py'):
            return run_script(*command[1:])
        return start(command, **options)

    monkeypatch.setattr(subprocess, 'run', run)


@pytest.fixture(scope='session')
def tiny_configs(tmp_path_factory):
    """Teacher, student and FAM-KD configs of the demo, made tiny."""
    folder = tmp_path_factory.mktemp('configs')
    demo = TOOLS.parent / 'configs/demo'

    def network(base_channels):
        return (
            f'model = dict(backbone=dict(depth=8, stem_channels=4, '
            f'base_channels={base_channels}), '
            f'head=dict(in_channels={4 * base_channels}))'
        )

    data = '\n'.join(
        [
            'train_dataloader = dict(batch_size=10, dataset=dict(num_per_class=2))',
            'val_dataloader = dict(dataset=dict(num_per_class=3))',
            'test_dataloader = dict(dataset=dict(num_per_class=3))',
            'train_cfg = dict(max_epochs=2, val_interval=2)',
        ]
    )
    configs = {name: folder / f'{name}.py' for name in ('teacher', 'student', 'famkd')}
    bases = {
        'teacher': 'resnet20_digits.py',
        'student': 'resnet8_digits.py',
        'famkd': 'famkd_resnet20_resnet8_digits.py',
    }
    models = {
        'teacher': network(8),
        'student': network(4),
        'famkd': f'model = dict(architecture=dict(cfg_path="{configs["student"]}"), '
        f'teacher=dict(cfg_path="{configs["teacher"]}"), '
        f'teacher_ckpt="{folder}/teacher/epoch_2.pth")',
    }
    for name, path in configs.items():
        base = demo / bases[name]
        path.write_text(f'_base_ = {str(base)!r}\n{models[name]}\n{data}\n')
    return configs


@pytest.fixture(scope='session')
def tiny_runs(tiny_configs):
    """Work folders of the tiny teacher, and of the student distilled from it."""
    folders = {
        name: tiny_configs[name].with_suffix('') for name in ('teacher', 'famkd')
    }
    for name, folder in folders.items():
        argv = [str(tiny_configs[name]), '--work-dir', str(folder)]
        load_tool('train').main([*argv, '--cfg-options', 'randomness.seed=0'])
    return folders
