"""Small trainings through the Runner."""

import copy
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch


def config_maker(folder: Path, content: Callable[[], dict]) -> Callable:
    """Function (**changes): config of a training, with changes merged into it.

    Args:
        folder: Its work folder.
        content: Makes the rest of the config.
    """
    # Not above: what needs the layers only shall not wait for OpenMMLab.
    from mmengine.config import Config

    count = itertools.count()  # Trainings of one name share their log.

    def make(**changes):
        name = f'{folder.name}_{next(count)}'
        given = dict(content(), work_dir=str(folder), experiment_name=name)
        config = Config(given, format_python_code=False)
        config.merge_from_dict(copy.deepcopy(changes))  # it takes keys out
        return config

    return make


@pytest.fixture(scope='session')
def teacher_ckpt(distillation, build, tmp_path_factory):
    """Checkpoint of the teacher of ``distillation``."""
    path = tmp_path_factory.mktemp('teacher') / 'teacher.pth'
    teacher = build(distillation()['teacher'])
    torch.save(dict(state_dict=teacher.state_dict()), path)
    return str(path)


@pytest.fixture
def make_config(distillation, teacher_ckpt, tmp_path):
    """Function (**changes): config of FAM-KD, 2 epochs of 3 iterations.

    Changes are merged into it.
    """
    import tiny_images  # noqa: F401

    import famkd.engine
    import famkd.models  # noqa: F401

    def content():
        return dict(
            default_scope='mmpretrain',
            randomness=dict(seed=0),
            model=dict(distillation(), teacher_ckpt=teacher_ckpt),
            data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
            train_dataloader=dict(
                batch_size=4,
                num_workers=0,
                dataset=dict(
                    type='TinyImages',
                    length=12,
                    size=16,
                    num_classes=4,
                    pipeline=[dict(type='PackInputs')],
                ),
                sampler=dict(type='DefaultSampler', shuffle=True),
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
            train_cfg=dict(by_epoch=True, max_epochs=2),
        )

    return config_maker(tmp_path, content)


@pytest.fixture
def make_runner(make_config):
    """Function (*hooks, **changes): a runner of that config, with more hooks."""
    from mmengine.runner import Runner

    def make(*hooks, **changes):
        runner = Runner.from_cfg(make_config(**changes))
        for hook in hooks:
            runner.register_hook(hook)
        return runner

    return make
