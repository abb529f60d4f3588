"""Small trainings through the Runner."""

import copy
import itertools

import pytest
import torch


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
    # Not above: what needs the layers only shall not wait for OpenMMLab.
    import tiny_images  # noqa: F401
    from mmengine.config import Config

    import famkd.engine
    import famkd.models  # noqa: F401

    count = itertools.count()  # Trainings of one name share their log.

    def make(**changes):
        config = Config(
            dict(
                default_scope='mmpretrain',
                work_dir=str(tmp_path),
                experiment_name=f'{tmp_path.name}_{next(count)}',
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
        )
        config.merge_from_dict(copy.deepcopy(changes))  # it takes keys out
        return config

    return make


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
