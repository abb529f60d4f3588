import subprocess
import sys
from pathlib import Path


def test_a_killed_training_ends_the_same(tmp_path):
    script = Path(__file__).with_name('kill_and_resume.py')
    command = [sys.executable, script, '--kills', '1', '--folder', tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '1 kills' in done.stdout
    assert 'the same at the end: best_' in done.stdout
