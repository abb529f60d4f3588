import os
import socket
import subprocess
import sys
from pathlib import Path

import torch

TOOLS = Path(__file__).parents[2] / 'tools'


def run(script, *argv):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    # As on a machine without GPUs, on any machine.
    changes = dict(CUDA_VISIBLE_DEVICES='', PYTHON=sys.executable, PORT=str(port))
    return subprocess.run(
        [TOOLS / script, *map(str, argv)],
        env={**os.environ, **changes, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_two_processes_on_the_cpu(tiny_configs, tmp_path):
    # The value with a space must arrive as one argument.
    done = run(
        'dist_train.sh',
        tiny_configs['student'],
        2,
        '--work-dir',
        tmp_path / 'a folder',
        '--cfg-options',
        'train_cfg.max_epochs=1',
    )
    assert done.returncode == 0, done.stderr[-3000:]
    checkpoint = torch.load(tmp_path / 'a folder/epoch_1.pth', weights_only=False)
    # 20 images in batches of 10, shared by two processes
    assert checkpoint['meta']['iter'] == 1
    assert 'GPU number: 2' in done.stdout + done.stderr


def test_usage():
    for script in ('dist_train.sh', 'dist_test.sh', 'slurm_train.sh'):
        done = run(script, 'config.py')
        assert done.returncode == 2
        assert done.stderr.startswith('usage: ')
