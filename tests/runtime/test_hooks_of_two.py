"""A training with two processes: where both start, what each sees, what is logged."""

from argparse import ArgumentParser

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from spawn_two import in_two_processes

from famkd.runtime import SameStartHook


class Record(Hook):
    """Keeps the weights at the start, the images and the losses of this process."""

    def before_train(self, runner):
        model = runner.model.module
        self.start = {name: value.clone() for name, value in state(runner).items()}
        self.images, self.losses = [], []
        parse = model.parse_losses

        def parse_losses(losses):
            total, log = parse(losses)
            self.losses.append(total.item())
            return total, log

        model.parse_losses = parse_losses

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == 0:
            self.images += [image.sum().item() for image in data_batch['inputs']]


def state(runner):
    return runner.model.module.state_dict()


def train(config):
    """What one process records of a training, as tools/train.py starts it."""
    import tiny_images  # noqa: F401

    import famkd.models  # noqa: F401
    from famkd.apis.cli import build_runner

    runner = build_runner(ArgumentParser(), Config(config))
    record = Record()
    runner.register_hook(record)
    runner.train()
    logged = runner.message_hub.get_scalar('train/loss').data[0]
    runner.train_dataloader.worker_init_fn(0)
    return dict(
        start=record.start,
        images=record.images,
        losses=record.losses,
        logged=logged.tolist(),
        end=state(runner),
        random=np.random.rand(),
    )


@pytest.fixture(scope='module')
def tmp_path(tmp_path_factory):
    return tmp_path_factory.mktemp('hooks_of_two')


@pytest.fixture
def processes(make_config, tmp_path):
    """What both processes recorded."""
    files = [tmp_path / '0.pt', tmp_path / '1.pt']
    if files[1].exists():
        return [torch.load(file, weights_only=False) for file in files]
    config = make_config(
        launcher='pytorch',
        # random numbers of their own, and yet the same weights
        randomness=dict(seed=0, diff_rank_seed=True),
        default_hooks=dict(
            same_start=dict(type='SameStartHook'),
            average_losses=dict(type='AverageLossesHook'),
            sync_buffers=dict(type='SyncBuffersHook'),
        ),
    )
    return in_two_processes(train, config.to_dict(), tmp_path)


def test_same_weights_at_the_start_and_at_the_end(processes):
    first, second = processes
    for moment in ('start', 'end'):
        for name, value in first[moment].items():
            assert torch.equal(value, second[moment][name]), (moment, name)
    moved = 'architecture.backbone.layer1.0.bn1.running_mean'
    assert not torch.equal(first['start'][moved], first['end'][moved])
    assert all(
        torch.equal(value, first['end'][name])
        for name, value in first['start'].items()
        if name.startswith('teacher.')
    )


def test_each_sees_images_of_its_own(processes):
    first, second = (set(process['images']) for process in processes)
    assert len(first | second) == 12
    assert not first & second
    # The dataloader's workers transform them with random numbers of their own.
    assert processes[0]['random'] != processes[1]['random']


def test_logged_losses_are_averages(processes):
    first, second = processes
    assert first['losses'] != pytest.approx(second['losses'], rel=1e-3)
    averages = np.mean([first['losses'], second['losses']], axis=0)
    for process in processes:
        assert process['logged'] == pytest.approx(averages.tolist(), rel=1e-5)


def test_processes_that_start_at_different_iterations_are_refused(
    make_runner, monkeypatch
):
    monkeypatch.setattr(
        'famkd.runtime.same_start_hook.all_gather_object', lambda start: [4, start]
    )
    runner = make_runner(SameStartHook())
    with pytest.raises(ValueError, match='0 at 4, 1 at 0; work_dir=.* that all machin'):
        runner.train()
