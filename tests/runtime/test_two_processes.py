import json

import pytest
import torch
import two_processes


@pytest.fixture(scope='module')
def tmp_path(tmp_path_factory):
    return tmp_path_factory.mktemp('two')


@pytest.fixture
def ends(make_config, tmp_path):
    """How the trainings ended in the first and in the second process."""
    files = [tmp_path / '0.json', tmp_path / '1.json']
    if not files[1].exists():
        wrapper = dict(
            type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
        )
        config = make_config(launcher='pytorch', model_wrapper_cfg=wrapper)
        torch.multiprocessing.spawn(two_processes.run, (config, tmp_path), nprocs=2)
    return [json.loads(file.read_text()) for file in files]


def test_both_stop_where_the_loss_of_one_is_infinite(ends, tmp_path):
    for process in ends:
        assert process['loss']['end'].startswith(
            'iteration 2: process 1: student.loss = inf. The state before it is in '
        )
        assert process['loss']['iter'] == 1
    checkpoint = tmp_path / 'loss/nonfinite_iter_1.pth'
    assert torch.load(checkpoint, weights_only=False)['meta']['iter'] == 1


def test_both_skip_where_the_gradient_of_one_is_nan(ends):
    first, second = (process['skipped'] for process in ends)
    assert first['end'] is second['end'] is None
    assert first['finite']
    assert first['iter'] == 4  # two epochs of two iterations
    assert first['sums'] == second['sums']


def test_both_stop_where_one_gets_a_signal(ends, tmp_path):
    for process in ends:
        assert process['signal']['end'] == '143'
        assert process['signal']['iter'] == 2
    checkpoint = tmp_path / 'signal/interrupted.pth'
    assert torch.load(checkpoint, weights_only=False)['meta']['iter'] == 3
    assert (tmp_path / 'signal/last_checkpoint').read_text() == str(checkpoint)
