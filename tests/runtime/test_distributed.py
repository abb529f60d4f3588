"""Two processes: where they start, what they see, how they stop, and go on."""

import numpy as np
import pytest
import torch
from distributed_trainings import run
from same_checkpoints import check_same_trainings
from spawn_two import in_two_processes

from famkd.runtime.same_start_hook import SameStartHook


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """The work folders of all trainings."""
    return tmp_path_factory.mktemp('distributed')


@pytest.fixture(scope='module')
def processes(folder):
    """What both processes found: they are started once, for all tests."""
    return in_two_processes(run, folder, folder)


def check_same_states(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_same_weights_at_the_start_and_at_the_end(processes):
    first, second = processes
    for moment in ('start', 'end'):
        check_same_states(first[moment], second[moment])
    moved = 'bn.running_mean'
    assert not torch.equal(first['start'][moved], first['end'][moved])


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


def test_resumed_training_is_the_same(processes, folder):
    names = check_same_trainings(folder / 'whole', folder / 'parts')
    assert {'iter_3.pth', 'iter_6.pth', 'iter_8.pth'} < set(names)
    for process in processes:
        check_same_states(process['whole'], process['resumed'])
    # Each process has its own random numbers and, until they are averaged, statistics.
    saved = torch.load(folder / 'at_the_stop.pth', weights_only=False)
    first, second = saved['exact_resume']['processes']
    assert not torch.equal(first['random']['torch'], second['random']['torch'])
    assert not first['buffers']
    assert any('running_mean' in name for name in second['buffers'])


def test_both_stop_where_the_loss_of_one_is_infinite(processes, folder):
    for process in processes:
        assert process['loss']['end'].startswith(
            'iteration 2: process 1: loss_label = inf. The state before it is in '
        )
        assert process['loss']['iter'] == 1
    checkpoint = folder / 'loss/nonfinite_iter_1.pth'
    assert torch.load(checkpoint, weights_only=False)['meta']['iter'] == 1


def test_both_skip_where_the_gradient_of_one_is_nan(processes):
    first, second = (process['gradient'] for process in processes)
    assert first['end'] is second['end'] is None
    assert first['iter'] == 6  # two epochs of three iterations
    assert all(value.isfinite().all() for value in first['state'].values())
    check_same_states(first['state'], second['state'])


def test_both_stop_where_one_gets_a_signal(processes, folder):
    for process in processes:
        assert process['signal']['end'] == '143'
        assert process['signal']['iter'] == 1
    checkpoint = folder / 'signal/interrupted.pth'
    assert torch.load(checkpoint, weights_only=False)['meta']['iter'] == 2
    assert (folder / 'signal/last_checkpoint').read_text() == checkpoint.name


def test_processes_that_start_at_different_iterations_are_refused(
    make_runner, monkeypatch
):
    monkeypatch.setattr(
        'famkd.runtime.same_start_hook.all_gather_object', lambda start: [4, start]
    )
    runner = make_runner(SameStartHook())
    with pytest.raises(ValueError, match='0 at 4, 1 at 0; work_dir=.* that all machin'):
        runner.train()


def test_both_stop_where_one_has_fewer_batches(processes):
    """It would be gone while the other waits for its gradients."""
    for process in processes:
        assert (
            '0 has 2, 1 has 1; set train_dataloader.sampler.round_up=True'
            in (process['unequal'])
        )
