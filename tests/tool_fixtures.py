"""The scripts of tools/, and tiny recipes for them."""

import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / 'tools'


@pytest.fixture(scope='session')
def tool():
    """Imports a script of tools/ by its path in there, without '.py'."""
    loaded = {}

    def load(name):
        if name not in loaded:
            # Not by a plain import: 'test' is a module of Python's own.
            spec = importlib.util.spec_from_file_location(
                f'tools_{Path(name).name}', TOOLS / f'{name}.py'
            )
            loaded[name] = importlib.util.module_from_spec(spec)
            # dataclasses look their module up
            sys.modules[spec.name] = loaded[name]
            spec.loader.exec_module(loaded[name])
        return loaded[name]

    return load


@pytest.fixture(scope='session')
def tiny_configs(tmp_path_factory):
    """Teacher, student and FAM-KD configs of the demo, made tiny."""
    folder = tmp_path_factory.mktemp('configs')
    demo = TOOLS.parent / 'configs/demo'

    def network(base_channels):
        return (
            f'model = dict(backbone=dict(depth=8, stem_channels=4, '
            f'base_channels={base_channels}), head=dict(in_channels={4 * base_channels}))'
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
