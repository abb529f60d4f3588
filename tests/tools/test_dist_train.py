"""The launchers: several processes on the CPU, as a user starts them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

TOOLS = Path(__file__).parents[2] / 'tools'


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return str(free.getsockname()[1])


def run(script, *argv, **environment):
    # As on a machine without GPUs, on any machine.
    changes = dict(CUDA_VISIBLE_DEVICES='', PYTHON=sys.executable, PORT=free_port())
    return subprocess.run(
        [TOOLS / script, *map(str, argv)],
        env={**os.environ, **changes, 'OMP_NUM_THREADS': '1', **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture
def failing_config(tiny_configs, tmp_path):
    """A training of 4 epochs of one iteration, cut off after two of them."""
    path = tmp_path / 'failing.py'
    path.write_text(
        f'_base_ = {str(tiny_configs["student"])!r}\n'
        'custom_imports = dict(imports=["famkd.models", "famkd.engine", '
        '"famkd.datasets", "fail_once"])\n'
        'custom_hooks = [dict(type="FailOnce")]\n'
        'train_cfg = dict(max_epochs=4)\n'
        'default_hooks = dict(checkpoint=dict(interval=1))\n'
    )
    return path


def test_a_killed_process_is_restarted_from_the_last_checkpoint(
    failing_config, tmp_path
):
    folder = tmp_path / 'a folder'  # it must arrive as one argument
    done = run(
        'dist_train.sh',
        failing_config,
        2,
        '--work-dir',
        folder,
        MAX_RESTARTS='1',
        PYTHONPATH=str(Path(__file__).parent),
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log[-3000:]
    assert 'GPU number: 2' in log
    assert (folder / 'failed').exists()
    assert 'resumed epoch: 2, iter: 2' in log
    checkpoint = torch.load(folder / 'epoch_4.pth', weights_only=False)
    # 20 images in batches of 10, shared by two processes
    assert checkpoint['meta']['iter'] == 4


def test_usage():
    for script in ('dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh'):
        done = run(script, 'config.py')
        assert done.returncode == 2
        assert done.stderr.startswith('usage: ')


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh'])
def test_python_without_torch(script):
    done = run(script, 'config.py', '2', '2', PYTHON='no-such-python')
    assert done.returncode == 2
    assert done.stderr.endswith(
        'no-such-python has no torch: activate the environment, or set '
        'PYTHON=.venv/bin/python\n'
    )
    assert done.stderr.count('\n') == 1


def test_slurm_passes_everything_on(tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    done = run(
        'slurm_train.sh',
        'part',
        'a job',
        'config.py',
        'a folder',
        '--resume',
        PATH=f'{tmp_path}:{os.environ["PATH"]}',
        GPUS='16',
        GPUS_PER_NODE='4',
        CPUS_PER_TASK='6',
        SRUN_ARGS='--time=1 --exclusive',
    )
    assert done.returncode == 0, done.stderr
    *options, python, unbuffered, script, config = done.stdout.splitlines()[:-5]
    assert options == [
        '--partition=part',
        '--job-name=a job',
        '--gres=gpu:4',
        '--ntasks=16',
        '--ntasks-per-node=4',
        '--cpus-per-task=6',
        '--kill-on-bad-exit=1',
        '--time=1',
        '--exclusive',
    ]
    assert (python, unbuffered, config) == (sys.executable, '-u', 'config.py')
    assert Path(script).samefile(TOOLS / 'train.py')
    assert done.stdout.splitlines()[-5:] == [
        '--work-dir',
        'a folder',
        '--launcher',
        'slurm',
        '--resume',
    ]


def test_slurm_tests_a_checkpoint(tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    path = f'{tmp_path}:{os.environ["PATH"]}'
    words = ['part', 'job', 'config.py', 'a file.pth', '--tta']
    done = run('slurm_test.sh', *words, PATH=path)
    script, *others = done.stdout.splitlines()[-6:]
    assert Path(script).samefile(TOOLS / 'test.py')
    assert others == ['config.py', 'a file.pth', '--launcher', 'slurm', '--tta']
