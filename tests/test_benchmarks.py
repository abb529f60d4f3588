import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tool_fixtures import run_script

BENCHMARKS = Path(__file__).resolve().parents[1] / 'benchmarks'
CAMVID = BENCHMARKS.parent / 'configs/camvid'


def run(script, *arguments):
    done = run_script(BENCHMARKS / script, '--threads', 1, *arguments)
    assert done.returncode == 0, done.stderr
    return done


def start(script, *arguments):
    """In a process of its own, for those that look at what is in it."""
    command = [sys.executable, BENCHMARKS / script, '--threads', '1', *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_distill_step_writes_its_figures(no_processes, tmp_path):
    out, plot = tmp_path / 'out.json', tmp_path / 'plot.png'
    options = ['--batch', 2, '--rounds', 1, '--json', out, '--plot', plot]
    done = run('distill_step.py', '--pair', 'resnet56_resnet20', *options)
    assert 'step / (student + teacher)' in done.stdout
    (row,) = json.loads(out.read_text())['results']
    assert (row['pair'], row['device'], row['dtype']) == (
        'resnet56_resnet20',
        'cpu',
        'float32',
    )
    for key in ('student_step', 'teacher_forward', 'reference_step', 'step'):
        assert 0 < row[key] < 60
    # In this process, whose peak may have been higher.
    assert row['peak_mb'] >= 0
    assert row['reference_peak_mb'] >= 0
    assert plot.stat().st_size > 1000


def test_distill_step_names_the_known_pairs():
    script = BENCHMARKS / 'distill_step.py'
    done = run_script(script, '--pair', 'resnet56_resnet21')
    assert done.returncode == 1
    assert '--pair resnet56_resnet21: no recipe' in done.stderr
    assert 'famkd_resnet56_resnet20_1xb64_cifar100' in done.stderr


def test_dct_loss_writes_its_figures(tmp_path):
    out = tmp_path / 'out.json'
    options = ['--batch', 2, '--rounds', 1, '--json', out]
    done = run('dct_loss.py', '--recipe', 'cifar100/dct_resnet56_resnet20', *options)
    assert 'released / DCT' in done.stdout
    (row,) = json.loads(out.read_text())['results']
    assert row['sizes'] == [[2, 16, 32, 32], [2, 32, 16, 16], [2, 64, 8, 8]]
    assert 0 < row['loss'] < row['step']
    assert row['released'] > 0


def test_released_form_is_the_real_dft(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from dct_loss import released_distance

    from famkd.models import DCTAttentionLoss

    student, teacher = torch.randn(4, 3, 6, 7), torch.randn(4, 5, 6, 7)
    torch.testing.assert_close(
        released_distance(student, teacher),
        DCTAttentionLoss('real_dft').per_sample(student, teacher),
    )


def test_layers_needs_torch_alone(tmp_path):
    out, plot = tmp_path / 'out.json', tmp_path / 'plot.png'
    # Whatever is imported before it says what is not there.
    blocked = ['mmengine', 'mmcv', 'mmpretrain', 'mmdet', 'mmrazor']
    start = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({blocked}))
sys.path.insert(0, {str(BENCHMARKS)!r})
sys.argv[0] = 'layers.py'
runpy.run_path({str(BENCHMARKS / 'layers.py')!r}, run_name='__main__')
"""
    options = ['--size', '2', '4', '5', '7', '--size', '1', '2', '1', '1']
    options += ['--rounds', '1', '--json', out, '--plot', plot]
    done = subprocess.run(
        [sys.executable, '-c', start, *options], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text())['results']
    assert [(row['layer'], row['size']) for row in rows] == [
        (layer, size)
        for layer in ('attention', 'fam')
        for size in ([2, 4, 5, 7], [1, 2, 1, 1])
    ]
    assert all(row['reference'] > 0 and row['fast'] > 0 for row in rows)
    assert plot.stat().st_size > 1000


def test_runner_overhead_in_short(tmp_path):
    out = tmp_path / 'out.json'
    options = ['--segments', 1, '--length', 7, '--batch', 2, '--json', out]
    assert 'the runner adds' in run('runner_overhead.py', *options).stdout
    figures = json.loads(out.read_text())
    assert figures['runner_step'] > 0 and figures['bare_step'] > 0


def test_soak_in_short(tmp_path):
    out = tmp_path / 'out.json'
    done = start('soak.py', '--iterations', '100', '--workers', '0', '--json', out)
    assert '| open files ' in done.stdout, done.stderr
    figures = json.loads(out.read_text())
    # Features that are kept of every step make it 0.04; the caches fill still.
    assert figures['memory']['growth'] < 0.025
    assert figures['open files']['growth'] <= 0
    # How much it grows, only a quiet machine tells.
    assert 'growth' in figures['CPU time of an iteration']


def test_soak_tells_what_grows(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import soak

    flat = {name: [100.0] * 200 for name in soak.LIMITS}
    assert all(figure['ok'] for figure in soak.growth(flat).values())
    for grown in soak.LIMITS:
        # After the warm-up: from 100 to 115.
        values = [100.0] * 50 + [100 + i / 10 for i in range(150)]
        result = soak.growth({**flat, grown: values})
        assert [name for name in result if not result[name]['ok']] == [grown]
        assert result[grown]['growth'] == pytest.approx(0.11, abs=0.02)


def test_segmentation_step_writes_its_figures(tmp_path, monkeypatch):
    pytest.importorskip('mmseg')
    monkeypatch.syspath_prepend(BENCHMARKS)
    import _dense_step
    import segmentation_step

    assert next(iter(segmentation_step.RECIPES)) == 'pspnet_r101_r18'
    small = CAMVID / 'famkd_pspnet_r18-w32_r18-w8_1xb4-800i_camvid-144x192.py'
    out = tmp_path / 'out.json'
    options = ['--size', '32', '48', '--rounds', '1', '--threads', '1', '--naive']
    monkeypatch.setattr(sys, 'argv', ['-', *options, '--json', str(out)])
    monkeypatch.setattr(_dense_step, 'peak_mb', lambda args, name: 1.0)
    batch = segmentation_step.random_batch
    _dense_step.main(
        '', [512, 512], dict(small=small), lambda *args: with_classes(batch(*args), 11)
    )
    (row,) = json.loads(out.read_text())['results']
    assert all(row[key] > 0 for key in (*_dense_step.VARIANTS, 'naive_step'))


def with_classes(batch, classes):
    for sample in batch['data_samples']:
        sample.gt_sem_seg.data %= classes
    return batch


def test_freekd_writes_its_figures(tmp_path):
    out = tmp_path / 'out.json'
    options = ['--size', 64, 96, '--channels', 4, '--batch', 1, '--rounds', 1]
    done = run('freekd.py', *options, '--json', out)
    assert 'released / fast' in done.stdout
    (row,) = json.loads(out.read_text())['results']
    assert row['fast'] > 0
    assert row['fast_memory'] < 1.5 < row['released_memory']


def test_methods_writes_the_ratio_of_each(tmp_path):
    out = tmp_path / 'out.json'
    options = ['--batch', 2, '--rounds', 1, '--no-memory', '--json', out]
    options += ['--processor-time', '--methods', 'kd', 'spectral_kd']
    done = run('methods.py', *options)
    assert 'step / (student + teacher)' in done.stdout
    seconds = json.loads(out.read_text())['seconds']
    assert [*seconds] == ['student_step', 'teacher_forward', 'kd', 'spectral_kd']
    assert all(value > 0 for value in seconds.values())


def test_step_profile_adds_up():
    done = run('step_profile.py', '--batch', 2, '--steps', 1)
    rows = [line.split('|')[1:3] for line in done.stdout.splitlines() if '|' in line]
    figures = {name.strip(): ms for name, ms in rows[2:]}
    assert float(figures['window attention']) > 0
    total = float(figures.pop('all'))
    assert sum(map(float, figures.values())) == pytest.approx(total, abs=0.5)


def test_processor_time_is_of_cpus(capsys):
    script = BENCHMARKS / 'distill_step.py'
    done = run_script(script, '--device', 'cuda', '--processor-time')
    assert done.returncode == 2
    assert '--processor-time: of a GPU it says nothing' in capsys.readouterr().err


def test_scaling_writes_its_figures(tmp_path):
    out, plot = tmp_path / 'out.json', tmp_path / 'plot.png'
    options = ['--vary', 'processes', 'entries', '--entries', '100', '200']
    options += ['--batch', '2', '--rounds', '1', '--json', out, '--out', plot]
    done = start('scaling.py', *options)
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text())['results']
    assert [(row['varied'], row['value']) for row in rows] == [
        ('processes', 1),
        ('processes', 2),
        ('entries', 100),
        ('entries', 200),
    ]
    assert all(row['seconds'] > 0 for row in rows)
    assert plot.stat().st_size > 1000
