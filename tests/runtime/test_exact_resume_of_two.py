"""A training with two processes that stops and goes on, against one that does not."""

from argparse import ArgumentParser
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from same_checkpoints import check_same_trainings
from spawn_two import in_two_processes


class Stop(Exception):
    pass


class StopBeforeValidation(Hook):
    """Ends the training where a checkpoint is saved, and a validation is due."""

    def before_val(self, runner):
        if runner.iter == 6:
            raise Stop


def train(configs):
    """Trainings one after the other, in one of two processes.

    Returns:
        list[dict]: Of each that is not stopped, the buffers at the end.
    """
    import tiny_images  # noqa: F401

    import famkd.engine
    import famkd.models  # noqa: F401
    from famkd.runtime.processes import join_processes

    configs = [Config(config) for config in configs]
    join_processes(ArgumentParser(), configs[0])
    buffers = []
    for config in configs:
        config.model_wrapper_cfg = configs[0].model_wrapper_cfg
        runner = Runner.from_cfg(config)
        if 'stopped' in config.work_dir and not config.resume:
            runner.register_hook(StopBeforeValidation())
        try:
            runner.train()
        except Stop:
            pass
        else:
            buffers.append({k: v.clone() for k, v in runner.model.named_buffers()})
    return buffers


def test_resumed_training_is_the_same(make_config, tmp_path):
    data = dict(
        type='TinyImages',
        length=10,
        size=16,
        num_classes=4,
        pipeline=[
            dict(type='RandomCrop', crop_size=16, padding=4),
            dict(type='PackInputs'),
        ],
    )
    configs = [
        make_config(
            launcher='pytorch',
            work_dir=str(tmp_path / folder),
            experiment_name=f'{folder}_{resume}',
            resume=resume,
            # random numbers of their own, also for the order of the images
            randomness=dict(seed=None if resume else 0, diff_rank_seed=True),
            train_cfg=dict(_delete_=True, by_epoch=False, max_iters=8, val_interval=3),
            train_dataloader=dict(
                batch_size=2,
                dataset=dict(_delete_=True, **data),
                sampler=dict(_delete_=True, type='InfiniteSampler'),
            ),
            val_dataloader=dict(
                batch_size=2, dataset=data, sampler=dict(type='DefaultSampler')
            ),
            val_evaluator=dict(type='Accuracy'),
            val_cfg=dict(),
            default_hooks=dict(
                checkpoint=dict(
                    type='SafeCheckpointHook',
                    by_epoch=False,
                    interval=3,
                    save_best='auto',
                ),
                same_start=dict(type='SameStartHook'),
                sync_buffers=dict(type='SyncBuffersHook'),
                exact_resume=dict(type='ExactResumeHook'),
            ),
        ).to_dict()
        for folder, resume in [('whole', False), ('stopped', False), ('stopped', True)]
    ]
    processes = in_two_processes(train, configs, tmp_path)
    names = check_same_trainings(tmp_path / 'whole', tmp_path / 'stopped')
    assert {'iter_3.pth', 'iter_6.pth', 'iter_8.pth'} < set(names)
    for whole, resumed in processes:
        for name, value in whole.items():
            assert torch.equal(value, resumed[name]), name
    # Each process has its own random numbers and, until they are averaged, statistics.
    saved = torch.load(Path(tmp_path, 'whole/iter_6.pth'), weights_only=False)
    first, second = saved['exact_resume']['processes']
    assert not torch.equal(first['random']['torch'], second['random']['torch'])
    assert not first['buffers']
    assert any('running_mean' in name for name in second['buffers'])
