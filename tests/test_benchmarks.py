import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1] / 'benchmarks'


def run(script, *arguments):
    command = [sys.executable, BENCHMARKS / script, '--threads', '1', *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_distill_step_writes_its_figures(tmp_path):
    out, plot = tmp_path / 'out.json', tmp_path / 'plot.png'
    options = ['--batch', '2', '--rounds', '1', '--json', out, '--plot', plot]
    done = run('distill_step.py', '--pair', 'resnet56-resnet20', *options)
    assert done.returncode == 0, done.stderr
    assert 'step / (student + teacher)' in done.stdout
    (row,) = json.loads(out.read_text())['results']
    assert (row['pair'], row['device'], row['dtype']) == (
        'resnet56-resnet20',
        'cpu',
        'float32',
    )
    for key in ('student_step', 'teacher_forward', 'reference_step', 'step'):
        assert 0 < row[key] < 60
    assert row['peak_mb'] > 0
    assert row['reference_peak_mb'] > 0
    assert plot.stat().st_size > 1000


def test_distill_step_names_the_known_pairs():
    done = run('distill_step.py', '--pair', 'resnet56-resnet21')
    assert done.returncode != 0
    assert '--pair resnet56-resnet21: no recipe' in done.stderr
    assert 'famkd_resnet56_resnet20_1xb64_cifar100' in done.stderr
