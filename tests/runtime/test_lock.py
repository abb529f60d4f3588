import subprocess
import sys

import pytest

from famkd.runtime.lock import lock_folder

HOLDER = """
import sys, time
from famkd.runtime.lock import lock_folder
lock = lock_folder(sys.argv[1])
print('locked', flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the folder."""
    command = [sys.executable, '-c', HOLDER, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'locked\n'
    yield process
    process.kill()
    process.wait()


def test_one_training_at_a_time(holder, make_runner, tmp_path):
    runner = make_runner(default_hooks=dict(runtime=dict(type='RuntimeHook')))
    message = f'process {holder.pid} on .* is training there, .*another --work-dir'
    with pytest.raises(RuntimeError, match=message):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))
    # A killed one does not block.
    holder.kill()
    holder.wait()
    lock_folder(tmp_path).close()


def test_a_file_system_without_locks(tmp_path, monkeypatch, capfd):
    def fail(*_):
        raise OSError(37, 'No locks available')

    monkeypatch.setattr('fcntl.lockf', fail)
    assert lock_folder(tmp_path) is None
